import WireProtocol

extension ClientError.Code {
    /// The server can't be reached: refused, reset, no route, no name, no answer in time.
    public static let unreachable = Self(rawValue: "unreachable")
    /// The server answered that it can't serve now.
    public static let unavailable = Self(rawValue: "unavailable")
    /// The server's certificate is not trusted.
    public static let untrusted = Self(rawValue: "untrusted")
    /// The server refuses a body or an answer as too large.
    public static let tooLarge = Self(rawValue: "tooLarge")
    /// The server's disk is full.
    public static let serverFull = Self(rawValue: "serverFull")
    /// The account keeps as much as it may.
    public static let overQuota = Self(rawValue: "overQuota")
    /// Nobody is logged in.
    public static let notLoggedIn = Self(rawValue: "notLoggedIn")
    /// The token is not, or no longer, accepted.
    public static let unauthorized = Self(rawValue: "unauthorized")
    /// The account name or the password is wrong.
    public static let wrongCredentials = Self(rawValue: "wrongCredentials")
    /// The server has no such thing.
    public static let notOnServer = Self(rawValue: "notOnServer")
    /// The version was there, but the server does not keep its bytes any more.
    public static let versionNotKept = Self(rawValue: "versionNotKept")
    /// The server has such a thing already.
    public static let alreadyOnServer = Self(rawValue: "alreadyOnServer")
    /// The change rests on a state that is no longer the present one.
    public static let conflict = Self(rawValue: "conflict")
    /// The upload was withdrawn, or a newer one of this device has taken its place.
    public static let superseded = Self(rawValue: "superseded")
    /// The server did not accept the request, for a reason that the message names.
    public static let rejected = Self(rawValue: "rejected")
    /// The server's answer is not what the protocol says.
    public static let protocolViolation = Self(rawValue: "protocolViolation")
    /// What was asked for lies in the server's archive, and can be read after a while.
    public static let thawing = Self(rawValue: "thawing")
    /// Data on the server is damaged.
    public static let serverCorrupt = Self(rawValue: "serverCorrupt")
    /// The server has an older history than it had before: it was restored from a copy.
    public static let serverRestored = Self(rawValue: "serverRestored")
    /// More would be deleted than is right without a confirmation.
    public static let massDeletion = Self(rawValue: "massDeletion")
    /// Another process of this client works on the same folder.
    public static let busy = Self(rawValue: "busy")
    /// What was asked for does not fit: a folder linked twice, a path that is no folder.
    public static let usage = Self(rawValue: "usage")
}

extension ClientError {
    /// Whether the same call may succeed a little later.
    public var isRetryable: Bool { code == .unreachable || code == .unavailable }

    /// Reads a server's problem.
    init(_ problem: WireProtocol.Problem) {
        let code: Code =
            switch problem.code {
            case .unauthorized, .tokenRevoked, .forbidden: .unauthorized
            case .wrongCredentials: .wrongCredentials
            case .notFound: .notOnServer
            case .versionNotKept: .versionNotKept
            case .alreadyExists: .alreadyOnServer
            case .conflict, .preconditionFailed: .conflict
            case .uploadSuperseded: .superseded
            case .storageFull: .serverFull
            case .quotaExceeded: .overQuota
            case .tooLarge: .tooLarge
            case .hashMismatch: .unstable
            case .unavailable, .tooManyAttempts: .unavailable
            case .thawing: .thawing
            case .corruptData: .serverCorrupt
            default: .rejected
            }
        self.init(code, problem.detail.isEmpty ? problem.title : problem.detail)
    }
}

/// An attempt that failed, with what only the retry policy needs to know.
struct FailedAttempt: Error {
    let error: ClientError
    /// How long the server asked to be left alone.
    let retryAfter: Duration?

    init(_ error: ClientError, retryAfter: Duration? = nil) {
        self.error = error
        self.retryAfter = retryAfter
    }
}

extension ClientError {
    /// The error of a connection whose encryption could not be agreed on. `details` is what the TLS library says: for its
    /// words only, since it names places in its own source.
    static func tls(_ server: String, details: String) -> ClientError {
        if details.contains("CERTIFICATE_VERIFY_FAILED") {
            return ClientError(
                .untrusted,
                "the certificate of \(server) is not trusted; if it is your own, name it at login: --ca FILE")
        }
        if details.contains("ailedToValidateHostname") || details.contains("ail to validate") {
            return ClientError(.untrusted, "the certificate of \(server) is for another host")
        }
        if details.contains("WRONG_VERSION_NUMBER") {
            return ClientError(.untrusted, "\(server) does not speak TLS: is the address http://…?")
        }
        return ClientError(.untrusted, "no trusted connection to \(server): the TLS handshake failed")
    }
}
