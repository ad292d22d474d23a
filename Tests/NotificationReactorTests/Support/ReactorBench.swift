import Blocks
import Logging
import Messaging
import Model
import NotificationReactor
import Notifications
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// A reactor on loopback with its desk, whose time the test moves.
final class ReactorBench: Sendable {
    static let keys: [UInt32: TokenKey] = [
        1: [UInt8](repeating: 1, count: 32).withUnsafeBytes { TokenKey(bytes: $0) },
        2: [UInt8](repeating: 2, count: 32).withUnsafeBytes { TokenKey(bytes: $0) },
    ]

    let bus = InProcessChangeBus()
    let desk: PollDesk
    let reactor: NotificationReactor
    let clock = ManualClock()
    private let heads: Heads
    private let seconds = ManualSeconds()

    private init(_ configure: (inout ReactorConfiguration) -> Void, capacity: Int) throws {
        var configuration = ReactorConfiguration()
        configure(&configuration)
        var limits = PollLimits()
        limits.capacity = capacity
        let heads = Heads()
        self.heads = heads
        desk = PollDesk(bus: bus, limits: limits) { heads.read($0) }
        reactor = try NotificationReactor(
            configuration: configuration, desk: desk, keys: Self.keys, clock: clock,
            generator: SeededGenerator(seed: 1),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, seconds: { [seconds] in seconds.now })
    }

    /// Runs a reactor while `body` does.
    static func run(
        capacity: Int = 10_000, _ configure: (inout ReactorConfiguration) -> Void = { _ in },
        _ body: @Sendable (ReactorBench) async throws -> Void
    ) async throws {
        let bench = try ReactorBench(configure, capacity: capacity)
        let group = ServiceGroup(
            configuration: .init(
                services: [bench.reactor], gracefulShutdownSignals: [],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask { await bench.desk.readHeads() }
            let result = await Result { try await body(bench) }
            await group.triggerGracefulShutdown()
            try await tasks.next()
            tasks.cancelAll()
            try result.get()
        }
    }

    /// Another peer of the reactor.
    func peer(window: Int32? = nil) throws -> Peer { try Peer(port: reactor.port, window: window) }

    /// Sets the head of a namespace that is read, and tells nobody.
    func setHead(_ namespace: UInt64, to revision: UInt64) {
        heads.set(Self.namespace(namespace), to: Revision(revision))
    }

    /// Sets the head of a namespace and tells of it.
    func publish(_ namespace: UInt64, _ revision: UInt64) async {
        setHead(namespace, to: revision)
        await bus.publish(
            .changed(
                ChangeNotice(
                    namespace: Self.namespace(namespace), revision: Revision(revision), kind: .uploaded,
                    device: Self.device(999))))
    }

    /// Moves the time of the reactor's deadlines on.
    func pass(seconds count: UInt32) {
        seconds.advance(by: count)
        reactor.tick()
    }

    /// Waits until something is so that other threads bring about.
    func until(_ condition: () -> Bool) async throws {
        let start = ContinuousClock.now
        while !condition() {
            try #require(ContinuousClock.now - start < .seconds(60), "it does not come about")
            reactor.tick()
            await Task.yield()
        }
    }

    // MARK: Requests

    static func namespace(_ number: UInt64) -> NamespaceID { NamespaceID(high: 7, low: number) }
    static func device(_ number: UInt64) -> DeviceID { DeviceID(high: 9, low: number) }

    /// A token for a device, good for ten minutes by the bench's clock.
    func token(
        device: UInt64 = 1, namespaces: [UInt64] = [1], key: UInt32 = 2, version: UInt32? = nil, lasting: Int64 = 600
    ) -> String {
        let now = clock.now().nanoseconds / 1_000_000_000
        let token = PollToken(
            account: AccountID(high: 5, low: 5), device: Self.device(device),
            namespaces: namespaces.map(Self.namespace),
            expires: UInt64(now + lasting))
        guard let key = Self.keys[key] else { preconditionFailure("the bench has no such key") }
        return token.sign(with: key, version: version ?? 2)
    }

    /// The bytes of a poll at these cursors.
    func poll(
        _ cursors: [(namespace: UInt64, revision: UInt64)] = [(1, 1)], device: UInt64 = 1, timeout: UInt32 = 300,
        token: String? = nil, fields: String = ""
    ) throws -> [UInt8] {
        let request = PollRequest(
            cursors: cursors.map { Cursor(namespace: Self.namespace($0.namespace), revision: Revision($0.revision)) },
            timeout: timeout)
        let token = token ?? self.token(device: device, namespaces: Array(Set(cursors.map(\.namespace))))
        return Self.post(try request.encoded(), "Authorization: Bearer \(token)\r\n" + fields)
    }

    /// The bytes of a request to poll with this body, and these fields besides those that all have.
    static func post(_ body: [UInt8], _ fields: String) -> [UInt8] {
        let head = "POST /v1/poll HTTP/1.1\r\nHost: localhost\r\n\(fields)Content-Length: \(body.count)\r\n\r\n"
        return Array(head.utf8) + body
    }

    /// The bytes of a question.
    static func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n" }
}

extension Result where Failure == any Error {
    /// Does asynchronous work and keeps how it ended.
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

extension Peer.Answer {
    /// The namespaces that a poll was told of, as pairs of the bench's numbers.
    func moved() throws -> [[UInt64]] {
        try PollResponse(decoding: body).moved.map { [$0.namespace.low, $0.revision.number] }
    }
}

/// The heads that a desk reads.
private final class Heads: Sendable {
    private let known = Mutex<[NamespaceID: Revision]>([:])

    func set(_ namespace: NamespaceID, to revision: Revision) { known.withLock { $0[namespace] = revision } }

    func read(_ namespaces: [NamespaceID]) -> [Cursor] {
        known.withLock { known in
            namespaces.map { Cursor(namespace: $0, revision: known[$0] ?? .zero) }
        }
    }
}

/// Seconds that pass when a test says so.
private final class ManualSeconds: Sendable {
    private let second = Mutex<UInt32>(1_000)

    var now: UInt32 { second.withLock { $0 } }

    func advance(by count: UInt32) { second.withLock { $0 += count } }
}
