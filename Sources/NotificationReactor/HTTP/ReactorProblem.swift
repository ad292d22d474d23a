/// What a reactor refuses with: the parts of a problem document, with the codes of docs/protocol.md.
struct ReactorProblem: Sendable {
    /// The number and the phrase of the status line.
    let status: StaticString
    let code: StaticString
    let title: StaticString
    let detail: StaticString
    /// A field of the answer that goes with the status; empty for none.
    var field: StaticString = ""
    /// After how many seconds another try makes sense.
    var retryAfter: UInt32?

    /// The status as a number.
    var number: UInt64 {
        (0..<3).reduce(0) { $0 * 10 + UInt64(status.utf8Start[$1] - 0x30) }
    }

    private static let challenge: StaticString = "WWW-Authenticate: Bearer realm=\"cairn\"\r\n"

    static let noToken = ReactorProblem(
        status: "401 Unauthorized", code: "unauthorized", title: "No valid token",
        detail: "a poll token is wanted: ask for one at /v1/poll/token", field: challenge)
    static let badToken = ReactorProblem(
        status: "401 Unauthorized", code: "unauthorized", title: "No valid token",
        detail: "the poll token is none of this server's", field: challenge)
    static let expiredToken = ReactorProblem(
        status: "401 Unauthorized", code: "unauthorized", title: "No valid token",
        detail: "the poll token has expired: ask for another at /v1/poll/token", field: challenge)
    static let revoked = ReactorProblem(
        status: "401 Unauthorized", code: "token_revoked", title: "The device was revoked",
        detail: "the device was revoked; log in again", field: challenge)
    static let forbidden = ReactorProblem(
        status: "403 Forbidden", code: "forbidden", title: "Forbidden",
        detail: "the poll token does not name one of the namespaces")
    static let noNamespace = ReactorProblem(
        status: "400 Bad Request", code: "invalid_request", title: "Invalid request",
        detail: "a poll names at least one namespace")
    static let unreadable = ReactorProblem(
        status: "400 Bad Request", code: "invalid_request", title: "Invalid request",
        detail: "the message can't be read")
    static let tooLarge = ReactorProblem(
        status: "413 Content Too Large", code: "too_large", title: "Too large",
        detail: "the message has a count above its bound")
    static let notFound = ReactorProblem(
        status: "404 Not Found", code: "not_found", title: "Not found", detail: "there is no such route")
    static let onlyPost = ReactorProblem(
        status: "405 Method Not Allowed", code: "method_not_allowed", title: "Method not allowed",
        detail: "POST is the method here", field: "Allow: POST\r\n")
    static let onlyGet = ReactorProblem(
        status: "405 Method Not Allowed", code: "method_not_allowed", title: "Method not allowed",
        detail: "GET is the method here", field: "Allow: GET\r\n")
    static let stopping = ReactorProblem(
        status: "503 Service Unavailable", code: "unavailable", title: "Not available now",
        detail: "this server stops", retryAfter: 1)

    /// There is no room for another poll.
    static func full(retryAfter seconds: UInt32) -> ReactorProblem {
        ReactorProblem(
            status: "503 Service Unavailable", code: "unavailable", title: "Not available now",
            detail: "as many polls are parked as this server may hold, or more come than it can take",
            retryAfter: seconds)
    }

    /// What is said of bytes that are no request.
    init(_ fault: RequestFault) {
        let (status, detail): (StaticString, StaticString) =
            switch fault {
            case .malformed: ("400 Bad Request", "the request can't be read")
            case .headTooLarge: ("431 Request Header Fields Too Large", "the head of the request has too many bytes")
            case .bodyTooLarge: ("413 Content Too Large", "the body has too many bytes")
            case .lengthRequired: ("411 Length Required", "the length of the body has to be given")
            case .expectation: ("417 Expectation Failed", "send the body with the head")
            case .encoding: ("415 Unsupported Media Type", "the body may not be compressed here")
            case .version: ("505 HTTP Version Not Supported", "HTTP/1.1 is spoken here")
            case .timeout: ("408 Request Timeout", "the request was not there in time")
            }
        let isSize = fault == .headTooLarge || fault == .bodyTooLarge
        self.init(
            status: status, code: isSize ? "too_large" : "invalid_request",
            title: isSize ? "Too large" : "Invalid request", detail: detail)
    }

    private init(
        status: StaticString, code: StaticString, title: StaticString, detail: StaticString,
        field: StaticString = "", retryAfter: UInt32? = nil
    ) {
        (self.status, self.code, self.title, self.detail) = (status, code, title, detail)
        (self.field, self.retryAfter) = (field, retryAfter)
    }
}
