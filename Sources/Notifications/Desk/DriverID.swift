/// Names a driver at a ``PollDesk``: who parks polls there and gets the answers of those, and of no others.
public struct DriverID: Hashable, Sendable, BitwiseCopyable {
    let number: UInt8
}
