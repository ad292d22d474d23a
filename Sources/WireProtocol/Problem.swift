/// The stable code of an error, as clients switch on it. New codes may be added; none changes its meaning.
public enum ProblemCode: String, Codable, Hashable, Sendable, CaseIterable {
    /// The request is not what the route expects.
    case invalidRequest = "invalid_request"
    /// A name or path is not allowed.
    case invalidPath = "invalid_path"
    /// The body ended early.
    case truncatedBody = "truncated_body"
    /// The body or one of its parts is above its bound.
    case tooLarge = "too_large"
    /// A block's bytes do not have the hash that they are sent under.
    case hashMismatch = "hash_mismatch"
    /// A recipe page is malformed, or does not have the hash that names it.
    case invalidPage = "invalid_page"
    /// No token, or one that is not known.
    case unauthorized = "unauthorized"
    /// The device's token was revoked.
    case tokenRevoked = "token_revoked"
    /// The account name or the password is wrong.
    case wrongCredentials = "wrong_credentials"
    /// Too many failed attempts; try again after `retryAfter` seconds.
    case tooManyAttempts = "too_many_attempts"
    /// The thing is not this account's.
    case forbidden = "forbidden"
    /// There is no such thing.
    case notFound = "not_found"
    /// There is such a thing already.
    case alreadyExists = "already_exists"
    /// The change rests on a state that is no longer the present one.
    case conflict = "conflict"
    /// The upload was withdrawn, or a newer one of the same device has taken its place.
    case uploadSuperseded = "upload_superseded"
    /// `If-Match` or `If-None-Match` does not hold.
    case preconditionFailed = "precondition_failed"
    /// The range lies outside of the file.
    case rangeNotSatisfiable = "range_not_satisfiable"
    /// The version was there, but its bytes are no longer kept; the detail names the nearest that are.
    case versionNotKept = "version_not_kept"
    /// The method is not offered here.
    case methodNotAllowed = "method_not_allowed"
    /// The server's disk is full.
    case storageFull = "storage_full"
    /// The account keeps as much as it may.
    case quotaExceeded = "quota_exceeded"
    /// The server can't reach its storage or database now; try again.
    case unavailable = "unavailable"
    /// The bytes lie in the archive. They were asked for: ask again after `retryAfter` seconds.
    case thawing
    /// Stored data is damaged, and no good copy is left.
    case corruptData = "corrupt_data"
    /// A fault of the server.
    case `internal` = "internal"
}

/// An error as HTTP carries it: a problem document of RFC 9457, `application/problem+json`.
public struct Problem: Error, Codable, Hashable, Sendable, CustomStringConvertible {
    /// The media type of the document.
    public static let mediaType = "application/problem+json"

    /// `about:blank`, or where the code is explained.
    public var type: String
    /// A short summary of the code.
    public var title: String
    /// The HTTP status.
    public var status: Int
    /// What went wrong with which thing, for people.
    public var detail: String
    /// The stable code.
    public var code: ProblemCode
    /// After how many seconds another try makes sense.
    public var retryAfter: Int?

    private enum CodingKeys: String, CodingKey {
        case type, title, status, detail, code
        case retryAfter = "retry_after"
    }

    /// Makes a document of its parts.
    public init(code: ProblemCode, title: String, status: Int, detail: String, retryAfter: Int? = nil) {
        type = "about:blank"
        self.title = title
        self.status = status
        self.detail = detail
        self.code = code
        self.retryAfter = retryAfter
    }

    /// The title, the detail and the code.
    public var description: String { "\(title): \(detail) [\(code.rawValue)]" }
}
