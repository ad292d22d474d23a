import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// The network: HTTP/1.1 over connections that are kept and bounded in number.
final class AsyncHTTPConnector: HTTPConnector {
    private let client: HTTPClient
    private let server: String

    /// Most connections to the server at once; the long poll holds one of them.
    private static let maximumConnections = 8

    init(server: String, certificateAuthority: String?) throws {
        self.server = server
        var tls = TLSConfiguration.makeClientConfiguration()
        if let certificateAuthority {
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(certificateAuthority))
            } catch {
                throw ClientError(.usage, "can't read the certificate authority '\(certificateAuthority)': \(error)")
            }
        }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10), read: .seconds(120)),
            connectionPool: .init(
                idleTimeout: .seconds(50), concurrentHTTP1ConnectionsPerHostSoftLimit: Self.maximumConnections))
        configuration.httpVersion = .http1Only
        // Attempts and their pauses are the retry policy's to decide.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func shutdown() async throws {
        try await client.shutdown()
    }

    func perform(
        _ exchange: HTTPExchange, limit: Int, receive: (@Sendable ([UInt8]) async throws -> Void)?
    ) async throws -> HTTPAnswer {
        let request = try makeRequest(exchange)
        do {
            let response = try await client.execute(request, timeout: TimeAmount(exchange.timeout))
            var answer = HTTPAnswer(status: Int(response.status.code), headers: [:], body: [])
            for (name, value) in response.headers { answer.headers[name.lowercased()] = value }
            if let receive, response.status.code < 300 {
                for try await piece in response.body { try await receive([UInt8](piece.readableBytesView)) }
            } else {
                let length = answer.headers["content-length"].flatMap { Int($0) } ?? 0
                answer.body = try await collect(response.body, expecting: length, limit: limit)
            }
            return answer
        } catch {
            throw translate(error, server: exchange.server ?? server)
        }
    }

    private func collect(
        _ body: HTTPClientResponse.Body, expecting length: Int, limit: Int
    ) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(max(0, min(length, limit)))
        for try await piece in body {
            guard bytes.count + piece.readableBytes <= limit else {
                throw ClientError(.protocolViolation, "an answer of \(server) is longer than \(limit) bytes")
            }
            bytes.append(contentsOf: piece.readableBytesView)
        }
        return bytes
    }

    private func makeRequest(_ exchange: HTTPExchange) throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: (exchange.server ?? server) + exchange.path)
        request.method = HTTPMethod(rawValue: exchange.method)
        for (name, value) in exchange.headers { request.headers.add(name: name, value: value) }
        switch exchange.body {
        case .none: break
        case .bytes(let bytes): request.body = .bytes(ByteBuffer(bytes: bytes))
        case .stream(let length, let open):
            request.body = .stream(
                ByteSourceSequence(source: try open()), length: .known(Int64(length)))
        }
        return request
    }

    /// Why a connection can't be made or was lost, in the system's words where it has some.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: return String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError:
            if error.dnsAError != nil || error.dnsAAAAError != nil { return "its name is not known" }
            return error.connectionErrors.last.map { reason($0.error) } ?? "no address answers"
        case let error as HTTPClientError: return error.shortDescription
        case ChannelError.connectTimeout: return "it does not answer"
        default: return "\(error)"
        }
    }

    private func translate(_ error: any Error, server: String) -> any Error {
        switch error {
        case is CancellationError, is ClientError: return error
        case let error as HTTPClientError where error == .cancelled: return CancellationError()
        case let error as HTTPClientError where error == .invalidURL || error == .emptyHost || error == .emptyScheme:
            return ClientError(.usage, "'\(server)' is not the address of a server: \(error)")
        case is NIOSSLError, is NIOSSLExtraError: return ClientError.tls(server, details: "\(error)")
        default: return ClientError(.unreachable, "\(server) can't be reached: \(Self.reason(error))")
        }
    }
}

/// Hands the pieces of a source to the network as it asks for them.
private struct ByteSourceSequence: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    let source: any ByteSource

    struct AsyncIterator: AsyncIteratorProtocol {
        let source: any ByteSource
        mutating func next() async throws -> ByteBuffer? { try await source.next().map { ByteBuffer(bytes: $0) } }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source) }
}
