/// Why bytes are not the message they should be.
public struct WireError: Error, Hashable, CustomStringConvertible {
    /// What kind of fault it is.
    public enum Code: String, Hashable, Sendable {
        /// The message ends before it is complete.
        case truncated
        /// A field holds a value that it can't have.
        case malformed
        /// A count or a length is above its bound.
        case tooLarge
    }

    /// What kind of fault it is.
    public let code: Code
    /// The field and what is wrong with it.
    public let message: String

    /// Makes an error of its parts.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code and the message.
    public var description: String { "\(code.rawValue): \(message)" }
}
