/// Why the metadata database did not do what it was asked.
///
/// Two errors are equal when their codes are: messages are for people.
public struct MetadataError: Error, Sendable {
    /// What went wrong, as a stable name.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// A row that has to be there is not.
        case notFound
        /// A row with that key or that unique name is there already.
        case alreadyExists
        /// The data breaks a rule of the schema, or of the operation.
        case constraint
        /// Others hold the lock, or too many wait; the same call may succeed later.
        case busy
        /// There is no room left for the database.
        case full
        /// What was read is not what a sound database holds.
        case corrupt
        /// The machine could not read or write the database.
        case io
        /// The database can't be reached, or is closed.
        case unavailable
        /// The schema is of a version that this program does not know.
        case incompatible
    }

    /// What went wrong.
    public let code: Code
    /// What went wrong, for people, with the name of what it went wrong with.
    public let message: String
    /// What the system below said; nil when it said nothing.
    public let cause: String?

    /// Makes an error of its parts.
    public init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Whether the same call may succeed later without anybody's help.
    public var isRetryable: Bool { code == .busy || code == .unavailable }
}

extension MetadataError: Hashable {
    /// Compares the codes.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// Hashes the code.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension MetadataError: CustomStringConvertible {
    /// The message, and the cause when there is one.
    public var description: String { cause.map { "\(message): \($0)" } ?? message }
}
