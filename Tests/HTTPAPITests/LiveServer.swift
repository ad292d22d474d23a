import Blocks
import Files
import Hummingbird
import HummingbirdTesting
import Logging
import Messaging
import MessagingConformance
import MetadataSQLite
import Model
import Notifications
import ServiceLifecycle
import Storage
import StorageConformance
import Synchronization
import TestSupport

@testable import HTTPAPI

/// A server on a port of its own, with an account and a device, on a region that tests can break.
struct LiveServer: Sendable {
    let port: Int
    let region: FaultyPackRegion
    let disk: MemoryDisk
    let clock: ManualClock
    let context: FilesContext
    let notifications: NotificationService
    let metrics: PrometheusRegistry
    let roles: Set<ServerRole>
    let home: NamespaceID
    private let token: String

    /// Runs a test against a server, and stops the server.
    static func run(
        limits: APILimits = APILimits(), files: FilesLimits = FilesLimits(), pollServers: [String] = [],
        log: Logger = quiet, roles: Set<ServerRole> = Set(ServerRole.allCases), readiness: Readiness = Readiness(),
        archive: ((ManualClock) async throws -> ArchiveTier)? = nil, minimumCopies: Int? = nil,
        further: [any PackRegion] = [],
        _ test: @escaping @Sendable (LiveServer) async throws -> Void
    ) async throws {
        let directory = TemporaryDirectory()
        let disk = MemoryDisk()
        let region = FaultyPackRegion(MemoryPackRegion(name: "/srv/cairn/packs", disk: disk))
        let ring = KeyRing.generate()
        let clock = ManualClock()
        let bus = InProcessChangeBus()
        let metrics = PrometheusRegistry()
        let database = MeasuredMetadataDatabase(
            try SQLiteMetadataDatabase(path: directory.appending("cairn.db")), metrics: metrics)
        var files = files
        files.password = ScryptPassword(logCost: 4)
        let store = try await PackedBlockStore.open(
            regions: [region] + further, configuration: PackedStoreConfiguration(minimumCopies: minimumCopies))
        let context = FilesContext(
            database: database, store: store, keyRing: FixedKeyRing(ring),
            bus: bus, clock: clock, randomness: Randomness(SeededGenerator(seed: 1)), workers: WorkerPool(workers: 2),
            limits: files, log: log, archive: try await archive?(clock))
        _ = try await CreateAccount(
            database: database, keyRing: FixedKeyRing(ring), clock: clock, randomness: context.randomness,
            costs: files.password)(name: "ada", password: "correct horse")
        let session = try await LogIn(context)(
            account: "ada", password: "correct horse", device: "laptop", from: "test")
        let (heads, revocations) = (ReadHeads(database), ListRevocations(database: database, clock: clock))
        let notifications = NotificationService(
            desk: PollDesk(bus: bus, revocations: { try await revocations() }, heads: { try await heads(of: $0) }))
        let services = try APIServices(
            context: context, notifications: notifications, queue: desk(context), metrics: metrics, limits: limits,
            pollServers: pollServers, readiness: readiness)
        let application = Application(
            router: APIServer.router(services, roles: roles), server: APIServer.connections(limits),
            configuration: ApplicationConfiguration(address: .hostname("localhost", port: 0)),
            services: [notifications],
            logger: log)
        try await application.test(.live) { client async throws in
            try await test(
                LiveServer(
                    port: client.port!, region: region, disk: disk, clock: clock, context: context,
                    notifications: notifications, metrics: metrics, roles: roles, home: session.principal.home,
                    token: session.token.text))
        }
        withExtendedLifetime(directory) {}
    }

    /// The offline queue, in memory.
    private static func desk(_ context: FilesContext) -> QueueDesk {
        QueueDesk(
            queue: MemoryOfflineQueue(identity: QueueFixture.identity(1)), database: context.database,
            clock: context.clock)
    }

    /// Keeps its metadata, which the requests' ids are part of, and says nothing.
    static let quiet = Logger(
        label: "test",
        factory: { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = .critical
            return handler
        })

    /// Uses a connection of its own; with the token of the first device, unless told otherwise.
    func connect<Value: Sendable>(
        token: String?? = nil, _ body: @escaping @Sendable (APIClient) async throws -> Value
    ) async throws -> Value {
        let token = token ?? self.token
        return try await TestClient.withClient(host: "localhost", port: port) { client async throws in
            try await body(APIClient(client: client, token: token))
        }
    }

    /// The bearer token of the first device.
    var bearer: String { "Bearer \(token)" }

    /// Waits until as many polls were parked since the beginning.
    func waitForAdmitted(_ count: UInt64) async {
        while notifications.desk.statistics.admitted < count { await Task.yield() }
    }

    /// Waits until as many polls are parked; it looks again and again without sleeping.
    func waitForParked(_ count: Int) async {
        while notifications.parkedCount != count { await Task.yield() }
    }
}
