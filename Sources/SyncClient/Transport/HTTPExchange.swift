/// A request as the transport makes it, before any library's types.
struct HTTPExchange: Sendable {
    var method: String
    /// Percent-encoded, with the query, beginning with `/`.
    var path: String
    var headers: [(name: String, value: String)] = []
    var body = Body.none
    /// From the first byte sent to the last one received.
    var timeout: Duration
    /// The base URL of another server than the one that the device logged in to.
    var server: String?
    /// Another token than the device's own. What goes to another server always has one.
    var token: String?

    enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Bytes made while they are sent; `open` begins from the start, also for another attempt.
        case stream(length: UInt64, open: @Sendable () throws -> any ByteSource)
    }

    /// About how many bytes the request line and the headers take.
    var headerLength: Int {
        headers.reduce(method.utf8.count + path.utf8.count + 12) {
            $0 + $1.name.utf8.count + $1.value.utf8.count + 4
        }
    }
}

/// An answer, collected.
struct HTTPAnswer: Sendable {
    var status: Int
    /// By lower-case name.
    var headers: [String: String]
    /// Empty when the body went to a receiver.
    var body: [UInt8]

    var headerLength: Int { 17 + headers.reduce(2) { $0 + $1.key.utf8.count + $1.value.utf8.count + 4 } }
}

/// Bytes that are made piece by piece.
protocol ByteSource: Sendable {
    /// The next piece; nil at the end.
    func next() async throws -> [UInt8]?
}

/// Carries exchanges to one server; tests put one in place of the network.
protocol HTTPConnector: Sendable {
    /// Makes one attempt.
    /// - Parameters:
    ///   - exchange: The request.
    ///   - limit: Most bytes of the body to collect.
    ///   - receive: Takes the body of a 2xx answer piece by piece instead of collecting it.
    /// - Returns: The answer, whatever its status.
    /// - Throws: ``ClientError``; `unreachable` for everything on the way.
    func perform(
        _ exchange: HTTPExchange, limit: Int, receive: (@Sendable ([UInt8]) async throws -> Void)?
    ) async throws -> HTTPAnswer
    func shutdown() async throws
}
