/// What went wrong with a block, a page, a key or a password.
///
/// Two errors are equal when their codes are: messages are for people.
public struct BlocksError: Error, Hashable, CustomStringConvertible {
    /// The kinds of failure. The raw values are stable and may be logged and sent.
    public enum Code: String, Sendable {
        /// A block's encoding or sealed record has a form that no encoder makes.
        case corruptBlock
        /// The bytes are whole, but not those that the name stands for.
        case hashMismatch
        /// Something is longer than ``BlockLimits`` allow.
        case tooLarge
        /// A page's encoding has a form that no builder makes, or it does not fit its parent.
        case corruptPage
        /// A sealed record or wrapped key was not made with this key, for this account, or was altered.
        case authenticationFailed
        /// The key ring has no key of that version.
        case unknownKey
        /// The text of a key ring can't be read.
        case malformedKeyring
        /// The stored form of a password can't be read.
        case malformedPassword
        /// libcrypto refused an operation that should not fail.
        case cryptography
        /// libzstd refused an operation that should not fail.
        case compression
    }

    /// What kind of failure it is.
    public let code: Code
    /// What happened, naming the thing and the cause.
    public let message: String

    /// Makes an error of its parts.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code and the message.
    public var description: String { "\(code.rawValue): \(message)" }

    /// Compares the codes.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// Hashes the code.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
