import Blocks
import Files
import Hummingbird
import Messaging
import Metadata
import Model
import Notifications
import Storage
import WireProtocol

/// The one place where errors become what clients are told.
extension Problem {
    /// The problem document of an error. Details of the server's inside stay out of it.
    init(describing error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as FilesError: self.init(error)
        case let error as StorageError: self.init(error)
        case let error as MetadataError: self.init(error)
        case let error as WireError: self.init(error)
        case let error as QueueError: self.init(error)
        case let error as BlocksError: self.init(error)
        case let error as NodeNameError: self.init(.invalidPath, "\(error)")
        case let error as MethodNotAllowed: self.init(.methodNotAllowed, "\(error.method) is not offered here")
        case let error as UnsatisfiableRange:
            self.init(.rangeNotSatisfiable, "the file has \(error.size) bytes")
        case let error as PollError: self.init(error)
        case let error as HTTPError: self.init(error)
        case is ClientGone:
            self.init(
                code: .unavailable, title: "The client went away", status: ClientGone.status,
                detail: "the client hung up before it was answered")
        case is CancellationError: self.init(.unavailable, "the request was given up", retryAfter: 1)
        default: self.init(.internal, "something went wrong here; the server's log has it under the request id")
        }
    }

    private init(_ code: ProblemCode, _ detail: String, retryAfter: Int? = nil) {
        self.init(code: code, title: code.title, status: code.status, detail: detail, retryAfter: retryAfter)
    }

    private init(_ error: FilesError) {
        self.init(error.code.problem, error.message, retryAfter: error.retryAfter)
    }

    private init(_ error: StorageError) {
        switch error.code {
        // Which directory that is, is for the log.
        case .full: self.init(.storageFull, "the server's disk is full; what was stored before is safe")
        case .unavailable, .readOnly: self.init(.unavailable, "the storage can't be reached now", retryAfter: 5)
        case .corrupt, .notFound: self.init(.corruptData, "stored data is damaged, and no good copy is left")
        case .io, .inUse, .frozen: self.init(.internal, "the storage failed; the server's log says how")
        }
    }

    private init(_ error: MetadataError) {
        switch error.code {
        case .full: self.init(.storageFull, "the server's disk is full; what was stored before is safe")
        case .busy, .unavailable: self.init(.unavailable, "the database can't be reached now", retryAfter: 2)
        case .notFound: self.init(.notFound, "there is no such thing")
        case .alreadyExists: self.init(.alreadyExists, "there is such a thing already")
        case .constraint: self.init(.invalidRequest, error.message)
        case .corrupt: self.init(.corruptData, "the database is damaged; the server's log says where")
        case .io, .incompatible: self.init(.internal, "the database failed; the server's log says how")
        }
    }

    private init(_ error: QueueError) {
        switch error.code {
        case .revoked: self.init(.tokenRevoked, "the device was revoked; log in again")
        case .unknownDevice: self.init(.unauthorized, "the token is not known; log in for one")
        case .timedOut, .overloaded, .unavailable:
            self.init(.unavailable, "the offline queue can't be reached now", retryAfter: 2)
        }
    }

    private init(_ error: WireError) {
        switch error.code {
        case .truncated, .malformed: self.init(.invalidRequest, "the message can't be read: \(error.message)")
        case .tooLarge: self.init(.tooLarge, error.message)
        }
    }

    /// Blocks and pages of a request; what the server itself stored is wrapped in other errors before it comes here.
    private init(_ error: BlocksError) {
        switch error.code {
        case .hashMismatch, .corruptBlock: self.init(.hashMismatch, error.message)
        case .corruptPage: self.init(.invalidPage, error.message)
        case .tooLarge: self.init(.tooLarge, error.message)
        case .compression: self.init(.invalidRequest, error.message)
        case .authenticationFailed, .unknownKey, .malformedKeyring, .malformedPassword, .cryptography:
            self.init(.internal, "a key can't be used; the server's log says why")
        }
    }

    private init(_ error: PollError) {
        switch error {
        case .overloaded: self.init(.unavailable, "as many polls are parked as this server may hold", retryAfter: 5)
        case .refused(let seconds):
            self.init(.unavailable, "more polls come than this server can take now", retryAfter: Int(seconds))
        }
    }

    private init(_ error: HTTPError) {
        switch error.status.code {
        case 404: self.init(.notFound, "there is no such route")
        case 413: self.init(.tooLarge, "the body is too large")
        case 400..<500: self.init(.invalidRequest, error.body ?? "the request can't be read")
        default: self.init(.internal, "something went wrong here; the server's log has it under the request id")
        }
    }
}

extension FilesError.Code {
    fileprivate var problem: ProblemCode {
        switch self {
        case .invalidRequest: .invalidRequest
        case .invalidPath: .invalidPath
        case .tooLarge: .tooLarge
        case .hashMismatch: .hashMismatch
        case .invalidPage: .invalidPage
        case .unauthorized: .unauthorized
        case .tokenRevoked: .tokenRevoked
        case .wrongCredentials: .wrongCredentials
        case .tooManyAttempts: .tooManyAttempts
        case .notFound: .notFound
        case .alreadyExists: .alreadyExists
        case .conflict: .conflict
        case .uploadSuperseded: .uploadSuperseded
        case .preconditionFailed: .preconditionFailed
        case .rangeNotSatisfiable: .rangeNotSatisfiable
        case .versionNotKept: .versionNotKept
        case .quotaExceeded: .quotaExceeded
        case .corruptData: .corruptData
        case .unavailable: .unavailable
        case .thawing: .thawing
        }
    }
}

extension ProblemCode {
    /// The HTTP status that goes with the code.
    var status: Int {
        switch self {
        case .invalidRequest, .invalidPath, .truncatedBody, .hashMismatch, .invalidPage: 400
        case .unauthorized, .tokenRevoked, .wrongCredentials: 401
        case .forbidden: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .alreadyExists, .conflict, .uploadSuperseded: 409
        case .versionNotKept: 410
        case .preconditionFailed: 412
        case .tooLarge: 413
        case .rangeNotSatisfiable: 416
        case .tooManyAttempts: 429
        case .internal, .corruptData: 500
        case .unavailable, .thawing: 503
        case .storageFull, .quotaExceeded: 507
        }
    }

    /// A summary of the code.
    var title: String {
        switch self {
        case .invalidRequest: "Invalid request"
        case .invalidPath: "Invalid path"
        case .truncatedBody: "The body ended early"
        case .tooLarge: "Too large"
        case .hashMismatch: "A block does not match its hash"
        case .invalidPage: "Invalid recipe page"
        case .unauthorized: "No valid token"
        case .tokenRevoked: "The device was revoked"
        case .wrongCredentials: "Wrong account or password"
        case .tooManyAttempts: "Too many attempts"
        case .forbidden: "Forbidden"
        case .notFound: "Not found"
        case .alreadyExists: "Already there"
        case .conflict: "Conflict"
        case .uploadSuperseded: "The upload was withdrawn or replaced"
        case .preconditionFailed: "Precondition failed"
        case .rangeNotSatisfiable: "Range not satisfiable"
        case .versionNotKept: "The version is not kept"
        case .methodNotAllowed: "Method not allowed"
        case .storageFull: "The server's disk is full"
        case .quotaExceeded: "The account is full"
        case .unavailable: "Not available now"
        case .thawing: "In the archive, thawing"
        case .corruptData: "Stored data is damaged"
        case .internal: "Fault of the server"
        }
    }
}
