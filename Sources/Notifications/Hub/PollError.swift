/// Why a poll could not begin.
public enum PollError: Error, Hashable, Sendable {
    /// As many polls are parked as this process may hold.
    case overloaded
    /// More polls come than heads can be read for: the device shall come back after so many seconds, which differ from
    /// device to device so that they do not all come back at once.
    case refused(retryAfter: UInt32)
}
