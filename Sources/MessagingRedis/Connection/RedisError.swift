/// Why Redis did not do what it was asked. Errors are equal when their codes are: messages are for people.
public struct RedisError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong, as a stable name.
    public enum Code: String, Hashable, Sendable {
        /// There is no connection, or it broke.
        case unreachable
        /// There was no answer in time.
        case timedOut
        /// The user, the password or a right is missing or wrong.
        case refused
        /// The server is no master, or none any more.
        case notMaster
        /// The server answered with another error.
        case failed
        /// The server's answer is none that the command can have.
        case malformed
        /// So many calls wait that no more are let in.
        case overloaded
        /// It was closed.
        case closed
        /// The server can't be used for this: its version, or how it is set up.
        case unsuitable
    }

    /// What went wrong.
    public let code: Code
    /// What went wrong, for people.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// What an error that the server answered means.
    init(answer: String) {
        let word = answer.prefix { $0 != " " }
        switch word {
        case "READONLY", "MASTERDOWN": self.init(.notMaster, "the server is no master any more: \(answer)")
        case "LOADING": self.init(.unreachable, "the server still loads its data: \(answer)")
        case "NOAUTH", "WRONGPASS", "NOPERM": self.init(.refused, "Redis refuses the login: \(answer)")
        case "ERR" where answer.contains("AUTH"): self.init(.refused, "Redis refuses the login: \(answer)")
        default: self.init(.failed, "Redis answered: \(answer)")
        }
    }

    /// The message.
    public var description: String { message }

    /// Whether the connection is of no more use.
    var isConnectionSpent: Bool {
        switch code {
        case .unreachable, .timedOut, .notMaster, .malformed: true
        case .refused, .failed, .overloaded, .closed, .unsuitable: false
        }
    }

    /// Whether another connection may do better at once.
    var isWorthAnotherConnection: Bool { code == .unreachable || code == .notMaster }

    /// Compares the codes.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// Hashes the code.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
