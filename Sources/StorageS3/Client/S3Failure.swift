public import Storage

/// Why a request of S3 has failed.
public struct S3Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// How far it came.
    public enum Kind: Hashable, Sendable {
        /// No connection, or one that was lost; whether the request was carried out is not known.
        case unreachable
        /// No answer in time; whether the request was carried out is not known.
        case timedOut
        /// The task was cancelled.
        case cancelled
        /// The server has answered with this status.
        case answered(status: Int)
        /// The answer is not what the protocol says.
        case malformed
    }

    /// How far it came.
    public let kind: Kind
    /// The server's name of the failure, such as `SlowDown`; empty when it gave none.
    public let code: String
    /// What happened, in words.
    public let message: String

    /// Makes a failure of its parts.
    public init(_ kind: Kind, code: String = "", _ message: String) {
        self.kind = kind
        self.code = code
        self.message = message
    }

    /// The status that was answered; 0 without an answer.
    public var status: Int {
        if case .answered(let status) = kind { status } else { 0 }
    }

    /// Whether the object is not there. A missing bucket is something else: it says nothing about the object.
    public var isNotFound: Bool { status == 404 && code != "NoSuchBucket" && code != "NoSuchUpload" }

    /// Whether a condition of the request did not hold.
    public var isPreconditionFailed: Bool { status == 412 }

    /// Whether the same request may succeed a little later.
    public var isRetryable: Bool {
        switch kind {
        case .unreachable, .timedOut, .malformed: true
        case .cancelled: false
        case .answered(let status):
            (status >= 500 && status != 501 && !isFull) || status == 429
                || ["RequestTimeout", "SlowDown", "ConditionalRequestConflict", "OperationAborted"].contains(code)
        }
    }

    /// Whether it speaks against the region as a whole and not against this request.
    var isOutage: Bool {
        switch kind {
        case .unreachable, .timedOut: true
        case .cancelled, .malformed: false
        case .answered(let status):
            (isRetryable && status != 409) || code == "NoSuchBucket" || status == 401
                || (status == 403 && !isFull && code != "InvalidObjectState")
        }
    }

    /// Whether there is no room for more.
    private var isFull: Bool {
        status == 507
            || ["QuotaExceeded", "StorageFull", "XMinioStorageFull", "InsufficientStorage", "ServiceQuotaExceeded"]
                .contains(code)
    }

    /// What it means for the store.
    /// - Parameters:
    ///   - region: The name of the region.
    ///   - what: The call, such as `reading pack …`.
    /// - Returns: The error, with a hint where there is one.
    public func storageError(in region: String, _ what: String) -> StorageError {
        let message = "region \(region): \(what)"
        func error(_ code: StorageError.Code, _ hint: String? = nil) -> StorageError {
            StorageError(code, message + (hint.map { ": \($0)" } ?? ""), cause: description)
        }
        if isFull { return error(.full, "there is no room left") }
        if isNotFound { return error(.notFound, "it is not there") }
        switch (status, code) {
        case (_, "InvalidObjectState"): return error(.unavailable, "it is archived and has to be restored first")
        case (_, "NoSuchBucket"): return error(.unavailable, "the bucket is not there")
        case (_, "RequestTimeTooSkewed"): return error(.unavailable, "the clocks differ too much")
        case (401, _), (403, _): return error(.unavailable, "the server refuses these credentials")
        case (412, _): return error(.unavailable, "somebody else has changed it")
        case (405, _): return error(.readOnly)
        default:
            return error(isRetryable || kind == .cancelled ? .unavailable : .io)
        }
    }

    /// The status and the code, then the words.
    public var description: String {
        var text = ""
        if status > 0 { text += "\(status) " }
        if !code.isEmpty { text += "\(code): " }
        return text + message
    }
}
