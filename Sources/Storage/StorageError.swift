/// Why the store could not do what it was asked. Errors are equal when their codes are.
public struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of failure; the raw values are stable and may be logged and counted.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// No region holds the pack.
        case notFound = "not-found"
        /// What is there is not what was written, in every region that could be asked.
        case corrupt
        /// There is no room left; nothing of the append was acknowledged.
        case full
        /// A region can't be reached, too much is waiting, or the store is closed.
        case unavailable
        /// The medium failed.
        case io
        /// The region can't be written at all.
        case readOnly = "read-only"
        /// Another process uses the region.
        case inUse = "in-use"
        /// The pack lies in an archive and is not thawed.
        case frozen
    }

    /// What kind of failure it is.
    public let code: Code
    /// What happened, with the names of the region, the pack and the offset.
    public let message: String
    /// What the system below said; nil when nothing below failed.
    public let cause: String?

    /// Makes an error of its parts.
    public init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Whether the same call may succeed later without anyone's doing.
    public var isRetryable: Bool { code == .unavailable }

    /// `code: message (cause)`.
    public var description: String {
        "\(code.rawValue): \(message)" + (cause.map { " (\($0))" } ?? "")
    }

    /// Compares the codes only.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// Hashes the code, as equality compares it.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
