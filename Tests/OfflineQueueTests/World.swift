import Logging
import Messaging
import MessagingConformance
import Metadata
import MetadataConformance
import MetadataSQLite
import Model
import Notifications
import Synchronization
import TestSupport

/// A server's database, bus and queue, with accounts of one namespace each.
final class World: Sendable {
    static let retention = Duration.seconds(30 * 86_400)

    let directory = TemporaryDirectory()
    let clock = ManualClock()
    let bus = InProcessChangeBus()
    let database: SQLiteMetadataDatabase
    let queue: FaultyOfflineQueue
    let parked = Mutex<Set<DeviceID>>([])
    private let uploads = Mutex<UInt64>(0)

    init() throws {
        database = try SQLiteMetadataDatabase(path: directory.appending("metadata.db"))
        queue = FaultyOfflineQueue(MemoryOfflineQueue(identity: QueueFixture.identity(1)))
    }

    static func account(_ number: UInt64) -> AccountID { AccountID(high: 0xAC, low: number) }

    /// Adds an account with a namespace of the same number.
    func addAccount(_ number: UInt64) async throws {
        let now = clock.now()
        try await database.write { connection in
            try AccountQueries(connection).create(
                AccountRecord(
                    id: Self.account(number), name: "account \(number)", passwordHash: "hash", masterKey: 1,
                    wrappedKey: [1], home: QueueFixture.namespace(number), created: now))
            try NamespaceQueries(connection).create(
                QueueFixture.namespace(number), owner: Self.account(number), at: now)
        }
    }

    /// Adds a device to an account.
    func addDevice(_ number: UInt64, of account: UInt64) async throws {
        let record = DeviceRecord(
            id: QueueFixture.device(number), account: Self.account(account), name: "device \(number)",
            tokenHash: Fixture.digest(number), created: clock.now())
        try await database.write { try DeviceQueries($0).create(record) }
    }

    /// Commits a change to the namespace of an account; the bus is told unless the process is to be killed first.
    @discardableResult
    func commit(to account: UInt64, by device: UInt64, isTold: Bool = true) async throws -> Revision {
        let number = uploads.withLock { number in
            number += 1
            return number
        }
        let change = NodeChange(number, Fixture.folder("folder \(number)"))
        let request = CommitRequest(
            namespace: QueueFixture.namespace(account), upload: Fixture.upload(number),
            device: QueueFixture.device(device), changes: [change])
        let now = clock.now()
        let outcome = try await database.write {
            try CommitQueries($0).apply(request, at: now, hash: TestHash.digest)
        }
        let revision = outcome.revision ?? .zero
        if isTold {
            let notice = ChangeNotice(
                namespace: QueueFixture.namespace(account), revision: revision, kind: .uploaded,
                device: QueueFixture.device(device))
            await bus.publish(.changed(notice))
        }
        return revision
    }

    /// Revokes a device; the bus is told unless that is done by another process.
    func revoke(_ device: UInt64, isTold: Bool = true) async throws {
        let now = clock.now()
        try await database.write { try DeviceQueries($0).revoke(QueueFixture.device(device), at: now) }
        if isTold { await bus.publish(.revoked(QueueFixture.device(device))) }
    }

    func feeder(limits: QueueFeeder.Limits = QueueFeeder.Limits()) -> QueueFeeder {
        QueueFeeder(
            bus: bus, database: database, queue: queue, clock: clock, limits: limits,
            isParked: { [self] device in parked.withLock { $0.contains(device) } }, pause: Pauses.none,
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    var desk: QueueDesk { QueueDesk(queue: queue, database: database, clock: clock) }

    /// What waits for a device, without its events.
    func moved(_ device: UInt64) async throws -> [QueueEntry] {
        try await queue.read(device).entries.filter { $0.key.kind.isEmpty }
    }
}

extension QueueFeeder {
    /// Works until everything is told.
    func finish() async throws {
        repeat { try await round() } while !isIdle
    }
}
