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
import Metadata
import Model
import NIOCore
import NIOSSL
import NotificationReactor
import Notifications
import ServiceLifecycle
import Storage
import UnixSignals

/// A process of a server: some roles or all, on the systems that its configuration names.
struct Server {
    let configuration: ServerConfiguration
    let backends: Backends
    let context: FilesContext
    let queue: QueueSet?
    /// Who this process is when jobs are shared.
    let holder: LeaseHolder
    let log: Logger
    private let services: APIServices
    private let notifications: NotificationService
    private let readiness: Readiness
    private let polls: (reactor: NotificationReactor, url: String)?
    private let connections: HTTPServerBuilder

    /// How long requests under way may take after the signal to stop.
    private static let patience = Duration.seconds(30)

    /// Opens everything that the server keeps, and takes the data directory for this process.
    /// - Throws: ``Failure`` and the errors of the layers.
    static func open(_ configuration: ServerConfiguration) async throws -> Server {
        let log = Logger(label: "cairn")
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        let backends = try await Backends.open(configuration, metrics: registry, log: log)
        let context = FilesContext(
            database: backends.database, store: backends.store, keyRing: backends.keyRing, bus: backends.bus,
            clock: SystemWallClock(), randomness: Randomness(SecureRandom()),
            workers: WorkerPool(workers: ProcessInfo.processInfo.activeProcessorCount),
            cache: backends.cache, loginLimiter: backends.loginLimiter, log: log, archive: backends.archive)
        let notifications = NotificationService(desk: desk(context, capacity: configuration.polls?.capacity))
        let queue = await openQueue(backends, configuration, notifications, log)
        let dense = try configuration.polls.map {
            try Self.reactor($0, desk: notifications.desk, keyRing: backends.keyRing, log: log)
        }
        let readiness = Readiness()
        let services = try APIServices(
            context: context, notifications: notifications, queue: queue?.desk, metrics: registry,
            pollServers: configuration.pollServers.isEmpty
                ? dense.map { [$0.url] } ?? [] : configuration.pollServers,
            readiness: readiness
        ) {
            backends.store.statistics.samples + backends.samples + (queue?.samples ?? [])
                + (context.archive.map { ArchiveSet.samples($0.counts.current) } ?? [])
        }
        var random = SystemRandomNumberGenerator()
        return Server(
            configuration: configuration, backends: backends, context: context, queue: queue,
            holder: LeaseHolder(using: &random), log: log, services: services, notifications: notifications,
            readiness: readiness, polls: dense, connections: try connections(configuration.tls))
    }

    private static func openQueue(
        _ backends: Backends, _ configuration: ServerConfiguration, _ notifications: NotificationService, _ log: Logger
    ) async -> QueueSet? {
        guard let replicas = backends.queues else { return nil }
        return await QueueSet.open(
            replicas, feeds: configuration.roles.contains(.maintenance), database: backends.database, bus: backends.bus,
            clock: SystemWallClock(), isParked: { notifications.isParked($0) }, log: log)
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
        let address = configuration.listen
        let application = Application(
            router: APIServer.router(services, roles: configuration.roles), server: connections,
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port), serverName: "cairn", backlog: 1024),
            onServerRunning: { [self] in announce($0) }, logger: log)
        // Services stop in the reverse order: first it is said that the process stops, then the parked polls are answered, then
        // requests are finished.
        var services = jobs() + [application]
        if configuration.roles.contains(.notify) { services.append(notifications) }
        if let polls { services.append(polls.reactor) }
        services.append(DrainService(readiness: readiness, duration: configuration.drain))
        var group = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        group.maximumGracefulShutdownDuration = Self.patience + configuration.drain
        try await ServiceGroup(configuration: group).run()
    }

    private func announce(_ channel: any Channel) {
        let address = configuration.listen
        let url = address.url(
            scheme: configuration.tls == nil ? "http" : "https", port: channel.localAddress?.port ?? address.port)
        do {
            try ownedFolder?.writeListening(url)
        } catch {
            log.error("the address could not be written", metadata: ["cause": "\(error)"])
        }
        if let polls { log.info("devices poll elsewhere", metadata: ["url": "\(polls.url)"]) }
        Output.line("listening on \(url)")
    }

    /// The data directory, when it is this process's.
    private var ownedFolder: DataFolder? { backends.lock == nil ? nil : backends.folder }

    private func close() async throws {
        ownedFolder?.removeListening()
        try await queue?.queue.close()
        try await backends.close()
        log.info("stopped")
    }

    private static func connections(_ tls: TLSFiles?) throws -> HTTPServerBuilder {
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
}
