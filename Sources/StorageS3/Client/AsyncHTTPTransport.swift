import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// The network: HTTP/1.1 over connections that are kept and bounded in number.
///
/// It never sends `Expect: 100-continue`: a gateway that refuses one leaves the connection in a state in which the next
/// request hangs.
final class AsyncHTTPTransport: HTTPTransport {
    private static let longestError = 64 << 10

    private let client: HTTPClient
    private let clock = ContinuousClock()

    /// - Throws: ``S3ConfigurationError`` when the certificate authority can't be read.
    init(certificateAuthority: String?, maximumConnections: Int) throws(S3ConfigurationError) {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let certificateAuthority {
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(certificateAuthority))
            } catch {
                throw S3ConfigurationError("can't read the certificate authority '\(certificateAuthority)': \(error)")
            }
        }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(3)),
            connectionPool: .init(
                idleTimeout: .seconds(20), concurrentHTTP1ConnectionsPerHostSoftLimit: maximumConnections))
        configuration.httpVersion = .http1Only
        // Attempts and their pauses are the retry policy's to decide.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// One that was dropped without being shut down, as by a failed start, lets its connections go all the same.
    deinit {
        client.shutdown { _ in }
    }

    func shutdown() async throws { try await client.shutdown() }

    func perform(_ call: HTTPCall) async throws(S3Failure) -> HTTPReply {
        var request = HTTPClientRequest(url: call.address)
        request.method = HTTPMethod(rawValue: call.method)
        for header in call.headers { request.headers.add(name: header.name, value: header.value) }
        if call.body.readableBytes > 0 {
            request.body = .bytes(call.body)
        } else if call.method == "PUT" || call.method == "POST" {
            request.body = .bytes(ByteBuffer())
        }
        do {
            let start = clock.now
            let response = try await client.execute(request, timeout: TimeAmount(call.timeout))
            let latency = start.duration(to: clock.now)
            var headers: [String: String] = [:]
            for (name, value) in response.headers { headers[name.lowercased()] = value }
            let isHead = call.method == "HEAD"
            let length = headers["content-length"].flatMap { Int($0) }
            // What was asked for may be a few bytes; why it can't be had takes more.
            let isError = !(200..<300).contains(response.status.code)
            let limit = isError ? max(call.limit, Self.longestError) : call.limit
            let body = try await collect(response.body, expecting: length ?? 0, limit: limit)
            if let length, !isHead, body.count != length {
                throw S3Failure(.unreachable, "the answer ended after \(body.count) of \(length) bytes")
            }
            return HTTPReply(status: Int(response.status.code), headers: headers, body: body, latency: latency)
        } catch {
            throw Self.failure(error, address: call.address)
        }
    }

    private func collect(
        _ body: HTTPClientResponse.Body, expecting length: Int, limit: Int
    ) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(max(0, min(length, limit)))
        for try await piece in body {
            guard bytes.count + piece.readableBytes <= limit else {
                throw S3Failure(.malformed, "the answer is longer than \(limit) bytes")
            }
            bytes.append(contentsOf: piece.readableBytesView)
        }
        return bytes
    }

    private static func failure(_ error: any Error, address: String) -> S3Failure {
        let server = address.split(separator: "/").dropFirst().first.map(String.init) ?? address
        switch error {
        case let error as S3Failure: return error
        case is CancellationError: return S3Failure(.cancelled, "the request was cancelled")
        case let error as HTTPClientError where error == .cancelled:
            return S3Failure(.cancelled, "the request was cancelled")
        case let error as HTTPClientError
        where error == .deadlineExceeded || error == .readTimeout || error == .connectTimeout
            || error == .getConnectionFromPoolTimeout:
            return S3Failure(.timedOut, "\(server) did not answer in time: \(error.shortDescription)")
        case is NIOSSLError, is NIOSSLExtraError:
            return S3Failure(.unreachable, "\(server) can't be trusted or does not speak TLS: \(error)")
        default: return S3Failure(.unreachable, "\(server) can't be reached: \(reason(error))")
        }
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
}
