/// Names one poll for as long as it is parked; afterwards it names nothing.
public struct PollTicket: Hashable, Sendable, BitwiseCopyable {
    /// The place of the poll in the table, and which of the polls that were at that place.
    let slot: UInt32
    let stamp: UInt32
}
