import Model

/// Why a use case did not do what it was asked. Errors are equal when their codes are.
public struct FilesError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure; each has one problem code of the protocol.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The request contradicts itself or a bound.
        case invalidRequest
        /// A name or a path is not allowed.
        case invalidPath
        /// Something is above its bound.
        case tooLarge
        /// A block's bytes do not have the hash that they are sent under.
        case hashMismatch
        /// A recipe page is malformed or does not fit its content.
        case invalidPage
        /// The token is not known.
        case unauthorized
        /// The device was revoked.
        case tokenRevoked
        /// The account or the password is wrong.
        case wrongCredentials
        /// Too many failed attempts.
        case tooManyAttempts
        /// There is no such thing, or it is not this account's.
        case notFound
        /// There is such a thing already.
        case alreadyExists
        /// The change does not fit the present state.
        case conflict
        /// The upload was withdrawn, or replaced by a newer one of its device.
        case uploadSuperseded
        /// The caller's condition does not hold.
        case preconditionFailed
        /// The range lies outside of the file.
        case rangeNotSatisfiable
        /// The version was there, but its bytes were given up.
        case versionNotKept
        /// The account keeps as much as it may.
        case quotaExceeded
        /// Stored data is damaged, and no good copy is left.
        case corruptData
        /// Too much is waiting; the same call may succeed later.
        case unavailable
        /// The bytes lie in the archive; they were asked for, and can be read after a while.
        case thawing
    }

    /// The kind of failure.
    public let code: Code
    /// What went wrong with which thing, for people.
    public let message: String
    /// After how many seconds another try makes sense.
    public let retryAfter: Int?
    /// What the layer below said, for logs: never shown to a client.
    public let cause: String?

    /// Makes an error of its parts.
    public init(_ code: Code, _ message: String, retryAfter: Int? = nil, cause: String? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.cause = cause
    }

    /// The code, the message and the cause.
    public var description: String { "\(code.rawValue): \(message)" + (cause.map { " (\($0))" } ?? "") }
}

extension FilesError: Hashable {
    /// Compares the codes.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// Hashes the code.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension FilesError {
    /// The error of a change that the tree refused, for a caller who thinks in paths.
    static func refused(_ refusals: [Refusal], _ path: RemotePath) -> FilesError {
        switch refusals.first?.reason {
        case .nameTaken?: FilesError(.alreadyExists, "there is an entry at \(path) already")
        case .parentMissing?: FilesError(.conflict, "the folder of \(path) does not exist")
        case .folderNotEmpty?: FilesError(.conflict, "the folder \(path) is not empty")
        case .cycle?: FilesError(.conflict, "a folder can't be moved into itself: \(path)")
        case .kindChanged?: FilesError(.conflict, "\(path) is of another kind")
        case .stale?, nil: FilesError(.conflict, "\(path) has changed meanwhile")
        }
    }
}
