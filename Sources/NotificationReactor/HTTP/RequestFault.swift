/// What is wrong with bytes that should be a request. After any of these the connection ends: where the next request
/// would begin is not known.
enum RequestFault: Error, Hashable, Sendable, CaseIterable {
    /// The bytes are not what RFC 9112 calls a request, or leave room for two readings of it.
    case malformed
    /// The lines before the body are longer than ``RequestParser/maximumHead``.
    case headTooLarge
    /// The body is longer than ``RequestParser/maximumBody``.
    case bodyTooLarge
    /// A request with a body does not say how long it is, or comes in chunks.
    case lengthRequired
    /// The sender wants to be told before it sends the body.
    case expectation
    /// The body is compressed.
    case encoding
    /// It is not HTTP/1.1.
    case version
    /// The whole request was not there in time.
    case timeout
}
