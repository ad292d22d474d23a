import Blocks
public import Model
import NIOCore

/// Speaks S3 with one bucket: signed requests, each with a deadline, repeated when that may help.
///
/// Every request may be repeated, also one that was carried out and whose answer was lost.
public struct S3Client: Sendable {
    let endpoint: S3Endpoint
    let signer: RequestSigner
    let transport: any HTTPTransport
    let policy: S3RetryPolicy
    let wallClock: any WallClock
    let generator: LockedGenerator
    let clock = ContinuousClock()

    /// Makes a client.
    /// - Parameters:
    ///   - endpoint: The server and the bucket.
    ///   - credentials: The key.
    ///   - region: The name of the server's region, which the signature is bound to.
    ///   - certificateAuthority: A file of certificates in PEM that are trusted in place of the system's; nil for those.
    ///   - maximumConnections: How many requests may be under way at once.
    ///   - policy: Deadlines and retries.
    ///   - wallClock: What requests are dated by.
    ///   - generator: Where the jitter of retries comes from.
    /// - Throws: ``S3ConfigurationError`` when the certificates can't be read.
    public init(
        endpoint: S3Endpoint, credentials: S3Credentials, region: String, certificateAuthority: String? = nil,
        maximumConnections: Int = 32, policy: S3RetryPolicy = S3RetryPolicy(), wallClock: any WallClock,
        generator: any RandomNumberGenerator & Sendable
    ) throws(S3ConfigurationError) {
        self.init(
            endpoint: endpoint, signer: RequestSigner(credentials: credentials, region: region),
            transport: try AsyncHTTPTransport(
                certificateAuthority: certificateAuthority, maximumConnections: maximumConnections),
            policy: policy, wallClock: wallClock, generator: LockedGenerator(generator))
    }

    init(
        endpoint: S3Endpoint, signer: RequestSigner, transport: any HTTPTransport, policy: S3RetryPolicy,
        wallClock: any WallClock, generator: LockedGenerator
    ) {
        self.endpoint = endpoint
        self.signer = signer
        self.transport = transport
        self.policy = policy
        self.wallClock = wallClock
        self.generator = generator
    }

    /// Lets the connections go.
    public func shutdown() async throws { try await transport.shutdown() }

    /// Makes a request until it succeeds, fails for good, or has been tried enough.
    func send(_ request: S3Request, policy: S3RetryPolicy? = nil) async throws(S3Failure) -> HTTPReply {
        let policy = policy ?? self.policy
        let payload = ByteBuffer(bytes: request.body)
        let payloadHash = RequestSigner.hash(of: request.body)
        let start = clock.now
        var attempts = 0
        while true {
            let failure: S3Failure
            do {
                return try await attempt(request, payload, payloadHash, policy)
            } catch {
                failure = error
            }
            attempts += 1
            let elapsed = start.duration(to: clock.now)
            let pause = generator.draw { policy.pause(after: attempts, elapsed: elapsed, using: &$0) }
            guard failure.isRetryable, let pause else { throw failure }
            do { try await clock.sleep(for: pause) } catch { throw S3Failure(.cancelled, "the request was cancelled") }
        }
    }

    private func attempt(
        _ request: S3Request, _ payload: ByteBuffer, _ payloadHash: String, _ policy: S3RetryPolicy
    ) async throws(S3Failure) -> HTTPReply {
        let call = HTTPCall(
            method: request.method,
            address: endpoint.address(
                path: endpoint.path(of: request.key), query: PercentEncoding.query(request.query)),
            headers: signedHeaders(request, payloadHash), body: payload,
            timeout: policy.timeout(moving: payload.readableBytes + request.expected), limit: request.limit)
        let reply = try await transport.perform(call)
        if let failure = Self.failure(in: reply, of: request) { throw failure }
        return reply
    }

    private func signedHeaders(_ request: S3Request, _ payloadHash: String) -> [(name: String, value: String)] {
        let time = SigningTime(wallClock.now())
        var headers = request.headers
        headers.append((name: "host", value: endpoint.host))
        headers.append((name: "x-amz-content-sha256", value: payloadHash))
        headers.append((name: "x-amz-date", value: time.second))
        if let token = signer.credentials.sessionToken {
            headers.append((name: "x-amz-security-token", value: token))
        }
        let content = RequestSigner.Content(
            method: request.method, path: endpoint.path(of: request.key), query: PercentEncoding.query(request.query),
            headers: headers, payloadHash: payloadHash)
        headers.append((name: "authorization", value: signer.authorization(for: content, at: time)))
        return headers
    }

    /// What an answer says has gone wrong; nil when nothing has.
    private static func failure(in reply: HTTPReply, of request: S3Request) -> S3Failure? {
        let isError = !(200..<300).contains(reply.status)
        guard isError || request.mayFailLate else { return nil }
        let root = try? XMLReader.read(reply.body)
        if !isError {
            guard let root else { return S3Failure(.malformed, "the answer is no XML") }
            guard root.name == "Error" else { return nil }
        }
        let error = root?.name == "Error" ? root : nil
        // A failure that comes behind status 200 is one of the server.
        return S3Failure(
            .answered(status: isError ? reply.status : 500), code: error?.text("Code") ?? "",
            error?.text("Message") ?? "\(request.method) \(request.key.isEmpty ? "of the bucket" : request.key)")
    }

    /// Reads the XML of an answer.
    static func document(_ reply: HTTPReply, _ name: String) throws(S3Failure) -> XMLElement {
        do {
            let root = try XMLReader.read(reply.body)
            if root.name == name { return root }
            throw S3Failure(.malformed, "the answer is a \(root.name), not a \(name)")
        } catch let failure as S3Failure {
            throw failure
        } catch {
            throw S3Failure(.malformed, "the answer is no \(name): \(error)")
        }
    }
}
