import Blocks
import Files
import Foundation
import Logging
import Messaging
import MessagingLocal
import MessagingRedis
import Metadata
import Model
import NotificationReactor
import Notifications
import ServiceLifecycle
import UnixSignals

/// A process that only parks polls: it reads the server's database and keys, and hears its bus. It changes nothing, so any
/// number of them may run beside one server.
struct NotificationProcess {
    private let address: PollAddress
    private let database: any MetadataDatabase
    private let closeBus: @Sendable () async -> Void
    private let desk: PollDesk
    private let reactor: NotificationReactor
    private let log: Logger

    /// How long the parked polls and their answers may take after the signal to stop.
    private static let patience = Duration.seconds(30)

    /// Opens what it reads, and listens. It hears of changes where the server tells them.
    /// - Throws: ``Failure`` and the errors of the layers.
    static func open(
        folder: DataFolder, databaseServer: String? = nil, address: PollAddress, bus choice: BusChoice = .local
    ) async throws -> NotificationProcess {
        let log = Logger(label: "cairn.notify")
        let database = try await MetadataPlace(folder: folder, server: databaseServer).reader()
        let keys = try KeyRingFile(path: folder.keyRing).keyRing().pollKeys()
        let (bus, closeBus) = try openBus(choice, folder, log)
        var limits = PollLimits()
        limits.capacity = address.capacity
        let (heads, revocations) = (
            ReadHeads(database), ListRevocations(database: database, clock: SystemWallClock())
        )
        let desk = PollDesk(
            bus: bus, limits: limits, revocations: { try await revocations() }, heads: { try await heads(of: $0) })
        let reactor = try NotificationReactor(
            configuration: address.configuration, desk: desk, keys: keys, clock: SystemWallClock(),
            generator: SystemRandomNumberGenerator(), log: log)
        return NotificationProcess(
            address: address, database: database, closeBus: closeBus, desk: desk, reactor: reactor, log: log)
    }

    private static func openBus(
        _ choice: BusChoice, _ folder: DataFolder, _ log: Logger
    ) throws -> (any ChangeBus, @Sendable () async -> Void) {
        switch choice {
        case .local:
            let bus = try SocketChangeBus(
                path: folder.bus, generator: SystemRandomNumberGenerator(), report: BusReports.link(log))
            return (bus, { await bus.close() })
        case .redis(let endpoint):
            let bus = try RedisParts(log: log).bus(endpoint)
            return (bus, { await bus.close() })
        }
    }

    /// Serves until a signal says to stop: then it accepts nothing more, and ends the parked polls in waves.
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
        Output.line("listening on \(address.url(port: reactor.port))")
        // The reactor stops first, and drains the desk.
        var configuration = ServiceGroupConfiguration(
            services: [desk, reactor], gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        configuration.maximumGracefulShutdownDuration = Self.patience
        try await ServiceGroup(configuration: configuration).run()
    }

    private func close() async throws {
        await closeBus()
        try await database.close()
        log.info("stopped")
    }
}
