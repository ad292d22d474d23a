import Blocks
import CoreMetrics
import Files
import Foundation
import HTTPAPI
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import Messaging
import MessagingLocal
import Metadata
import Model
import NIOCore
import NIOSSL
import NotificationReactor
import Notifications
import ServiceLifecycle
import Storage
import StorageLocal
import UnixSignals

/// The whole server in one process: every role, on SQLite or PostgreSQL and local folders, with in-process wires between the
/// roles.
struct Server {
    private let folder: DataFolder
    private let lock: Int32
    private let address: ListenAddress
    private let scheme: String
    private let database: any MetadataDatabase
    private let store: PackedBlockStore
    private let context: FilesContext
    private let services: APIServices
    private let notifications: NotificationService
    private let queue: QueueSet
    private let bus: SocketBusServer
    private let polls: (reactor: NotificationReactor, url: String)?
    private let connections: HTTPServerBuilder
    private let collection: CollectOptions
    private let scrubRate: Int?
    private let archiveRound: Duration
    private let log: Logger

    /// How long requests under way may take after the signal to stop.
    private static let patience = Duration.seconds(30)

    /// Opens everything that the server keeps, and takes the data directory for this process.
    /// - Throws: ``Failure`` and the errors of the layers.
    static func open(
        folder: DataFolder, databaseServer: String? = nil, address: ListenAddress, regions: [String], packSize: Int,
        secondQueue: String?,
        tls: (certificate: String, key: String)?, polls: PollAddress?, pollServers: [String],
        collection: CollectOptions, scrubRate: Int? = nil, archive: ArchiveChoice? = nil
    ) async throws -> Server {
        let log = Logger(label: "cairn")
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        let lock = try folder.takeLock()
        let database = MeasuredMetadataDatabase(
            try await MetadataPlace(folder: folder, server: databaseServer).open(), metrics: registry)
        let (keyRing, isNew) = try await KeyRingFile.open(folder.keyRing, database: database)
        if isNew { Notes.keyRingMade(folder.keyRing) }
        let directories = [folder.packs] + regions
        let identities = try await RegionSet(database: database, clock: SystemWallClock()).resolve(directories)
        let store = try await LocalBlockStore.open(
            directories: directories, identities: identities,
            configuration: PackedStoreConfiguration(packSize: packSize))
        Self.tell(store.recovery, log)
        var tier: ArchiveTier?
        if let archive {
            tier = try await ArchiveSet.open(archive, database: database, packSize: packSize, clock: SystemWallClock())
        }
        let bus = InProcessChangeBus()
        let context = FilesContext(
            database: database, store: store, keyRing: keyRing, bus: bus, clock: SystemWallClock(),
            randomness: Randomness(SecureRandom()),
            workers: WorkerPool(workers: ProcessInfo.processInfo.activeProcessorCount), log: log, archive: tier)
        let notifications = NotificationService(desk: desk(context, capacity: polls?.capacity))
        let queue = await QueueSet.open(
            directories: (folder.queue, secondQueue ?? folder.secondQueue), database: database, bus: bus,
            clock: SystemWallClock(), isParked: { notifications.isParked($0) }, log: log)
        let dense = try polls.map { try Self.reactor($0, desk: notifications.desk, keyRing: keyRing, log: log) }
        let services = try APIServices(
            context: context, notifications: notifications, queue: queue.desk, metrics: registry,
            pollServers: pollServers.isEmpty ? dense.map { [$0.url] } ?? [] : pollServers
        ) {
            store.statistics.samples + queue.samples
                + (context.archive.map { ArchiveSet.samples($0.counts.current) } ?? [])
        }
        return Server(
            folder: folder, lock: lock, address: address, scheme: tls == nil ? "http" : "https", database: database,
            store: store, context: context, services: services, notifications: notifications,
            queue: queue, bus: try SocketBusServer(path: folder.bus, bus: bus, report: BusReports.server(log)),
            polls: dense, connections: try connections(tls), collection: collection, scrubRate: scrubRate,
            archiveRound: archive?.round ?? .zero, log: log)
    }

    /// Where polls are parked, whichever driver they come by.
    private static func desk(_ context: FilesContext, capacity: Int?) -> PollDesk {
        var limits = PollLimits()
        limits.capacity = max(limits.capacity, capacity ?? 0)
        let heads = ReadHeads(context.database)
        let revocations = ListRevocations(database: context.database, clock: context.clock)
        return PollDesk(
            bus: context.bus, limits: limits, revocations: { try await revocations() },
            heads: { try await heads(of: $0) })
    }

    private static func reactor(
        _ polls: PollAddress, desk: PollDesk, keyRing: KeyRingFile, log: Logger
    ) throws -> (reactor: NotificationReactor, url: String) {
        let reactor = try NotificationReactor(
            configuration: polls.configuration, desk: desk, keys: try keyRing.keyRing().pollKeys(),
            clock: SystemWallClock(), generator: SystemRandomNumberGenerator(), log: log)
        return (reactor, polls.url(port: reactor.port))
    }

    /// Serves until a signal says to stop, then lets everything go.
    func run() async throws {
        do {
            try await serve()
        } catch {
            try await close()
            throw error
        }
        try await close()
    }

    private func serve() async throws {
        let application = Application(
            router: APIServer.router(services), server: connections,
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port), serverName: "cairn", backlog: 1024),
            onServerRunning: { [self] in announce($0) }, logger: log)
        let maintenance = MaintenanceService(expire: ExpireUploads(context), store: store, log: log)
        let thinning = ThinningService(
            thin: ThinVersions(database: database, clock: context.clock),
            relieve: RelieveQuotas(database: database, clock: context.clock), log: log)
        // Services stop in the reverse order: first the parked polls are answered, then requests are finished.
        var services: [any Service] = [maintenance, thinning, queue.upkeep, queue.feeder, application, notifications]
        if let scrubRate {
            let scrub = ScrubPacks(
                database: database, store: store, clock: SystemWallClock(), rate: scrubRate,
                pause: { try await Task.sleep(for: $0) }, log: log)
            services.insert(ScrubService(scrub: scrub, log: log), at: 0)
        }
        if let polls { services.append(polls.reactor) }
        if collection.collectInterval.duration > .zero { services.insert(collector(), at: 0) }
        if let archive = context.archive {
            let thaw = ThawBlocks(context, queue: queue.queue)
            services.insert(ArchiveService(context: context, archive: archive, thaw: thaw, round: archiveRound), at: 0)
        }
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        configuration.maximumGracefulShutdownDuration = Self.patience
        try await ServiceGroup(configuration: configuration).run()
    }

    private func collector() -> CollectionService {
        let pace = CollectionPace.bounded(
            rest: CollectionService.rest, bytesPerSecond: collection.collectRate.bytes
        ) { try await Task.sleep(for: $0) }
        return CollectionService(
            collect: CollectGarbage(context, limits: collection.limits, pace: pace),
            interval: collection.collectInterval.duration, clock: SystemWallClock(), log: log)
    }

    private func announce(_ channel: any Channel) {
        let url = address.url(scheme: scheme, port: channel.localAddress?.port ?? address.port)
        do {
            try folder.writeListening(url)
        } catch {
            log.error("the address could not be written", metadata: ["cause": "\(error)"])
        }
        if let polls { log.info("devices poll elsewhere", metadata: ["url": "\(polls.url)"]) }
        Output.line("listening on \(url)")
    }

    private func close() async throws {
        folder.removeListening()
        await bus.close()
        try await queue.queue.close()
        try await context.archive?.store.close()
        try await store.close()
        try await database.close()
        Glibc.close(lock)
        log.info("stopped")
    }

    private static func connections(_ tls: (certificate: String, key: String)?) throws -> HTTPServerBuilder {
        let plain = APIServer.connections()
        guard let tls else { return plain }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(tls.certificate).map {
                NIOSSLCertificateSource.certificate($0)
            }
            let key = try NIOSSLPrivateKey(file: tls.key, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            return try .tls(plain, tlsConfiguration: configuration)
        } catch {
            throw Failure(.configuration, "\(tls.certificate) and \(tls.key) can't be used for TLS: \(error)")
        }
    }

    private static func tell(_ recovery: RecoveryReport, _ log: Logger) {
        for tail in recovery.tornTails {
            log.notice(
                "an unfinished write was cut off",
                metadata: ["region": "\(tail.region)", "pack": "\(tail.pack)", "bytes": "\(tail.cut)"])
        }
        for damage in recovery.damage {
            log.error("a pack is damaged", metadata: ["pack": "\(damage.pack)", "bytes": "\(damage.range)"])
        }
        for (region, error) in recovery.missingRegions {
            log.error("a region can't be reached", metadata: ["region": "\(region)", "cause": "\(error)"])
        }
    }
}
