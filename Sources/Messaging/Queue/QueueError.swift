/// Why an offline queue did not do what it was asked, where it was no backend that said so.
///
/// Two errors are equal when their codes are: messages are for people.
public struct QueueError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong, as a stable name.
    public enum Code: String, Hashable, Sendable {
        /// The storage did not answer in time.
        case timedOut
        /// So many calls wait for a storage that does not answer that no more are let in.
        case overloaded
        /// No storage of the queue can be used now.
        case unavailable
        /// The device was revoked.
        case revoked
        /// The device is not known.
        case unknownDevice
    }

    /// What went wrong.
    public let code: Code
    /// What went wrong, for people.
    public let message: String

    /// Makes an error of its parts.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }

    /// Compares the codes.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// Hashes the code.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
