import Blocks
import Foundation
import Model
import WireProtocol

/// Speaks the protocol with one server: typed calls, each repeated by the retry policy and counted.
public final class APIClient: Sendable {
    let configuration: TransportConfiguration
    private let connector: any HTTPConnector
    private let counter = TrafficCounter()
    private let random = SecureRandom()
    private let workers: WorkerPool
    let tickets = TicketBox()

    /// From this length on a body is packed and read on a worker thread.
    private static let largeBody = 64 << 10
    /// Enough for 8 MiB at 20 KB/s.
    static let callTimeout = Duration.seconds(420)

    /// Makes a client; the first call connects.
    /// - Throws: ``ClientError`` when the certificate authority can't be read.
    public convenience init(_ configuration: TransportConfiguration, workers: WorkerPool) throws {
        self.init(
            configuration, workers: workers,
            connector: try AsyncHTTPConnector(
                server: configuration.server, certificateAuthority: configuration.certificateAuthority))
    }

    init(_ configuration: TransportConfiguration, workers: WorkerPool, connector: any HTTPConnector) {
        self.configuration = configuration
        self.workers = workers
        self.connector = connector
    }

    /// Bytes and requests since the client was made.
    public var traffic: Traffic { counter.current }

    /// Closes the connections. To be called once, at the end.
    public func shutdown() async throws {
        try await connector.shutdown()
    }

    // MARK: Attempts

    /// Makes a call, again where the policy says so.
    /// - Throws: ``ClientError`` for any answer that is not 2xx.
    func perform(
        _ exchange: HTTPExchange, limit: Int = WireLimits.maximumBody, retry: RetryPolicy? = nil,
        receive: (@Sendable ([UInt8]) async throws -> Void)? = nil
    ) async throws -> HTTPAnswer {
        var exchange = exchange
        if let token = exchange.token ?? configuration.token {
            exchange.headers.append(("Authorization", "Bearer \(token)"))
        }
        let policy = retry ?? configuration.retry
        let clock = ContinuousClock()
        let start = clock.now
        var attempt = 0
        while true {
            attempt += 1
            do {
                return try await self.attempt(exchange, limit: limit, receive: receive)
            } catch {
                guard let failure = (error as? FailedAttempt) ?? (error as? ClientError).map({ FailedAttempt($0) })
                else { throw error }
                var generator = random
                let elapsed = clock.now - start
                guard let delay = policy.delay(after: failure, attempt: attempt, elapsed: elapsed, using: &generator)
                else { throw failure.error }
                try await configuration.pause(delay)
            }
        }
    }

    /// Makes one attempt.
    /// - Throws: ``FailedAttempt`` for an answer that is no success, ``ClientError`` for what happened on the way.
    private func attempt(
        _ exchange: HTTPExchange, limit: Int, receive: (@Sendable ([UInt8]) async throws -> Void)?
    ) async throws -> HTTPAnswer {
        counter.sent(exchange.headerLength + exchange.body.knownLength)
        let answer: HTTPAnswer
        if let receive {
            answer = try await connector.perform(exchange, limit: limit) { [counter] piece in
                counter.received(piece.count)
                try await receive(piece)
            }
        } else {
            answer = try await connector.perform(exchange, limit: limit, receive: nil)
        }
        counter.received(answer.headerLength + answer.body.count)
        guard (200..<300).contains(answer.status) else { throw Self.failure(answer) }
        return answer
    }

    private static func failure(_ answer: HTTPAnswer) -> FailedAttempt {
        let header = answer.headers["retry-after"].flatMap { Int($0) }
        if let problem = try? JSONDecoder().decode(WireProtocol.Problem.self, from: Data(answer.body)) {
            let wait = (problem.retryAfter ?? header).map { Duration.seconds(max(0, $0)) }
            return FailedAttempt(ClientError(problem).retrying(after: wait), retryAfter: wait)
        }
        // Something between us and the server answered, or the server is of another kind.
        let code: ClientError.Code =
            switch answer.status {
            case 408, 429, 502, 503, 504: .unavailable
            case 401, 403: .unauthorized
            case 404: .notOnServer
            case 507: .serverFull
            default: .rejected
            }
        let wait = header.map { Duration.seconds(max(0, $0)) }
        let error = ClientError(code, "the server answers \(answer.status) without saying why").retrying(after: wait)
        return FailedAttempt(error, retryAfter: wait)
    }

    // MARK: Messages

    /// Sends one message and reads another; `headers` is told those of the answer, by lower-case name.
    func exchange<Answer: WireMessage>(
        _ method: String = "POST", _ path: String, _ message: (any WireMessage)?, compress: Bool = true,
        timeout: Duration = APIClient.callTimeout, retry: RetryPolicy? = nil, at place: PollPlace = .home,
        as: Answer.Type = Answer.self, headers: (([String: String]) -> Void)? = nil
    ) async throws -> Answer {
        var exchange = HTTPExchange(method: method, path: path, timeout: timeout)
        exchange.server = try place.server.map(TransportConfiguration.normalized)
        exchange.token = place.token
        exchange.headers = [("Accept-Encoding", MessageCodec.encoding)]
        if let message {
            let body = try await pack(message, compress: compress)
            exchange.headers.append(("Content-Type", WireLimits.mediaType))
            if body.isCompressed { exchange.headers.append(("Content-Encoding", MessageCodec.encoding)) }
            exchange.body = .bytes(body.bytes)
        }
        let answer = try await perform(exchange, retry: retry)
        headers?(answer.headers)
        return try await unpack(answer, path: path)
    }

    private func pack(
        _ message: any WireMessage, compress: Bool
    ) async throws -> (bytes: [UInt8], isCompressed: Bool) {
        let bytes = try message.encoded()
        guard compress else { return (bytes, false) }
        if bytes.count < Self.largeBody { return MessageCodec.pack(bytes) }
        return try await workers.run { _ in MessageCodec.pack(bytes) }
    }

    func unpack<Answer: WireMessage>(_ answer: HTTPAnswer, path: String) async throws -> Answer {
        @Sendable func read() throws -> Answer {
            let bytes = try MessageCodec.unpack(answer)
            do {
                return try Answer(decoding: bytes)
            } catch {
                throw ClientError(.protocolViolation, "the answer to \(path) can't be read: \(error)")
            }
        }
        return answer.body.count < Self.largeBody ? try read() : try await workers.run { _ in try read() }
    }

    // MARK: JSON

    /// Sends a JSON document, or nothing, and reads another.
    func json<Answer: Decodable>(
        _ method: String, _ path: String, body: (any Encodable)? = nil, retry: RetryPolicy? = nil,
        as: Answer.Type = Answer.self
    ) async throws -> Answer {
        let answer = try await perform(try Self.jsonExchange(method, path, body: body), retry: retry)
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(try MessageCodec.unpack(answer)))
        } catch let error as DecodingError {
            throw ClientError(.protocolViolation, "the answer to \(path) can't be read: \(error)")
        }
    }

    static func jsonExchange(_ method: String, _ path: String, body: (any Encodable)? = nil) throws -> HTTPExchange {
        var exchange = HTTPExchange(method: method, path: path, timeout: .seconds(60))
        exchange.headers = [("Accept", "application/json")]
        if let body {
            exchange.headers.append(("Content-Type", "application/json"))
            exchange.body = .bytes([UInt8](try JSONEncoder().encode(body)))
        }
        return exchange
    }
}

extension HTTPExchange.Body {
    var knownLength: Int {
        switch self {
        case .none: 0
        case .bytes(let bytes): bytes.count
        case .stream(let length, _): Int(length)
        }
    }
}
