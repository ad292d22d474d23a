import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import StorageS3
import Synchronization

/// A small, strict S3 server in the process of the test: it verifies signatures and hashes, and fails by plan.
final class FakeS3: Sendable {
    /// What goes wrong with a request.
    enum Fault: Hashable, Sendable {
        /// Nothing is done, and this is answered.
        case answer(Int, String)
        /// The connection ends before anything is done.
        case reset
        /// It is done, and the connection ends without an answer.
        case lostAnswer
        /// It is done, and the connection ends in the middle of the answer.
        case truncated
        /// It is done, and answered only after so long.
        case late(milliseconds: Int64)
        /// It is done, and nothing is ever answered.
        case silent
    }

    /// Which requests something goes wrong with.
    struct Rule: Sendable {
        var fault: Fault
        var times = Int.max
        var method: String?
        var keyPrefix = ""
        /// What the query has to hold.
        var query = ""
    }

    struct State: Sendable {
        var bucket = FakeBucket()
        var rules: [Rule] = []
        var isDown = false
        /// The method, and what the key begins with up to the first slash.
        var counts: [String: Int] = [:]
        var bytesReceived = 0
        var running = 0
        var mostRunning = 0
    }

    static let credentials = S3Credentials(accessKey: "AKTEST", secretKey: "a secret/of+tests")
    static let region = "test-1"
    static let bucketName = "cairn-packs"

    let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)
    private let portNumber = Mutex(0)
    private let tls: NIOSSLContext?

    private init(tls: NIOSSLContext?) {
        self.tls = tls
    }

    /// Starts one on a port that is free, with TLS by a certificate and its key in one file of PEM.
    static func start(certificate: String? = nil) async throws -> FakeS3 {
        let tls = try certificate.map { file in
            try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: try NIOSSLCertificate.fromPEMFile(file).map { .certificate($0) },
                    privateKey: .privateKey(try NIOSSLPrivateKey(file: file, format: .pem))))
        }
        let server = FakeS3(tls: tls)
        try await server.listen()
        return server
    }

    var address: String { "\(tls == nil ? "http" : "https")://127.0.0.1:\(portNumber.withLock { $0 })" }

    /// Listens, the second time on the same port.
    func listen() async throws {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [tls] channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                }.flatMap {
                    channel.pipeline.configureHTTPServerPipeline()
                }.flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(FakeS3Handler(server: self))
                }
            }
        let bound = try await bootstrap.bind(host: "127.0.0.1", port: portNumber.withLock { $0 }).get()
        portNumber.withLock { $0 = bound.localAddress?.port ?? 0 }
        channel.withLock { $0 = bound }
    }

    func stop() async throws {
        let bound = channel.withLock { channel in
            defer { channel = nil }
            return channel
        }
        try await bound?.close()
    }

    // MARK: What tests do to it

    var isDown: Bool {
        get { state.withLock { $0.isDown } }
        set { state.withLock { $0.isDown = newValue } }
    }

    func fail(_ rule: Rule) { state.withLock { $0.rules.append(rule) } }

    func heal() { state.withLock { $0.rules = [] } }

    /// The objects whose keys begin so, by key.
    func objects(_ prefix: String = "packs/") -> [String: [UInt8]] {
        state.withLock { $0.bucket.objects.filter { $0.key.hasPrefix(prefix) }.mapValues(\.bytes) }
    }

    func change(_ key: String, _ body: (inout [UInt8]) -> Void) {
        state.withLock { state in
            guard var object = state.bucket.objects[key] else { return }
            body(&object.bytes)
            state.bucket.objects[key] = FakeBucket.Object(bytes: object.bytes, like: object)
        }
    }

    func lose(_ key: String) { state.withLock { $0.bucket.objects[key] = nil } }

    func count(_ name: String) -> Int { state.withLock { $0.counts[name] ?? 0 } }

    func forgetCounts() {
        state.withLock { state in
            state.counts = [:]
            state.mostRunning = 0
        }
    }

    /// A configuration of the region that it is.
    func configuration(_ name: String, retries: S3RetryPolicy = .fast) -> S3RegionConfiguration {
        S3RegionConfiguration(
            name: name, address: address, bucket: Self.bucketName, serverRegion: Self.region,
            credentials: Self.credentials, retries: retries)
    }

    /// A client of it.
    func client(retries: S3RetryPolicy = .fast, wallClock: any WallClock = SystemWallClock()) throws -> S3Client {
        try S3Client(
            endpoint: S3Endpoint(address, bucket: Self.bucketName), credentials: Self.credentials, region: Self.region,
            policy: retries, wallClock: wallClock, generator: SystemRandomNumberGenerator())
    }
}

extension S3RetryPolicy {
    /// Pauses that a test does not feel.
    static let fast = S3RetryPolicy(
        attempts: 3, base: .milliseconds(1), cap: .milliseconds(4), attemptTimeout: .seconds(30), deadline: .seconds(60))

    /// One attempt that waits for half a second.
    static let impatient = S3RetryPolicy(attempts: 1, attemptTimeout: .milliseconds(500), deadline: .milliseconds(500))
}
