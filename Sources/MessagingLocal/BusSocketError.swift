import Glibc

/// Why a socket of the bus could not be opened, or a connection over it ended. Errors are equal when their codes are.
public struct BusSocketError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of failure.
    public enum Code: String, Hashable, Sendable {
        /// The system refused a call.
        case system
        /// Nobody listens there: no server runs.
        case notListening
        /// The other side hung up.
        case closed
        /// The other side sent what is no frame, or a frame out of turn.
        case malformed
        /// The other side speaks another version.
        case version
        /// The other side did not answer in time.
        case silent
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, for people.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The failure of a system call, with the number that it left in `errno`.
    static func system(_ what: String, _ number: Int32) -> BusSocketError {
        let isAbsent = number == ENOENT || number == ECONNREFUSED
        return BusSocketError(isAbsent ? .notListening : .system, "\(what): \(String(cString: strerror(number)))")
    }

    /// The message.
    public var description: String { message }

    /// Whether two errors have the same code.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// Hashes the code.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
