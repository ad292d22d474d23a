import NIOCore

/// A request before it is signed.
struct S3Request: Sendable {
    var method: String
    /// Empty for the bucket itself.
    var key = ""
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// The most bytes that the answer may have.
    var limit = 4 << 20
    /// Bytes that are asked for: they give it more time.
    var expected = 0
    /// Whether a body with an error may come with status 200.
    var mayFailLate = false
}

/// A request as it goes over the network.
struct HTTPCall: Sendable {
    let method: String
    let address: String
    let headers: [(name: String, value: String)]
    let body: ByteBuffer
    let timeout: Duration
    let limit: Int
}

/// What came back.
struct HTTPReply: Sendable {
    let status: Int
    /// By small names.
    let headers: [String: String]
    let body: [UInt8]
    /// From the call to the head of the answer.
    let latency: Duration
}

/// Makes single calls, without repeating any.
protocol HTTPTransport: Sendable {
    func perform(_ call: HTTPCall) async throws(S3Failure) -> HTTPReply
    func shutdown() async throws
}
