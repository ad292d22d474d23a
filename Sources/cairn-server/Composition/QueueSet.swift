import Blocks
import Dispatch
import Foundation
import HTTPAPI
import Logging
import Messaging
import MessagingSQL
import Metadata
import MetadataSQLite
import Model
import Notifications

/// The two sides of the offline queue, which fail apart.
struct QueueReplicas {
    let first: ReopeningOfflineQueue
    let second: ReopeningOfflineQueue
}

extension QueueReplicas {
    /// Two databases in two directories, which are made when they are missing. They are opened when they are first used.
    init(directories first: String, _ second: String) {
        self.init(
            first: Self.replica("first queue", first), second: Self.replica("second queue", second))
    }

    /// For how long a call waits for a lock of another process on the file; below the time that a call may take.
    private static let busyTimeout = 1.0

    private static func replica(_ name: String, _ directory: String) -> ReopeningOfflineQueue {
        ReopeningOfflineQueue(name) {
            let database = try await Self.database(in: directory)
            do {
                var random = SecureRandom()
                return try await SQLOfflineQueue.open(database, identity: QueueID(using: &random))
            } catch {
                // Why it can't be used is thrown; that it can't be closed either adds nothing.
                try? await database.close()
                throw error
            }
        }
    }

    private static func database(in directory: String) async throws -> SQLiteMetadataDatabase {
        try await withCheckedThrowingContinuation { continuation in
            // Opening blocks, on a disk that hangs for as long as it hangs.
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result {
                        try FileManager.default.createDirectory(
                            atPath: directory, withIntermediateDirectories: true,
                            attributes: [.posixPermissions: 0o700])
                        return try SQLiteMetadataDatabase(
                            path: directory + "/queue.db", schema: QueueSchema.history, busyTimeout: busyTimeout)
                    })
            }
        }
    }
}

/// The offline queue of this server: two storages, best far from each other, and what feeds and keeps them.
struct QueueSet {
    let queue: DoubledOfflineQueue
    let desk: QueueDesk
    /// Nil in a process that leaves that to others.
    let feeder: QueueFeeder?
    let upkeep: QueueUpkeep

    /// Finds out what the two hold. A storage that is not there keeps nobody from serving: it is used once it is back. With
    /// `feeds` the process is one of those that tell the queue what changed.
    static func open(
        _ replicas: QueueReplicas, feeds: Bool, database: any MetadataDatabase, bus: any ChangeBus,
        clock: any WallClock, isParked: @escaping @Sendable (DeviceID) -> Bool, log: Logger
    ) async -> QueueSet {
        let start = ContinuousClock.now
        let pause: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
        let queue = DoubledOfflineQueue(
            replicas.first, replicas.second,
            elapsed: { ContinuousClock.now - start }, pause: pause)
        let feeder =
            feeds
            ? QueueFeeder(
                bus: bus, database: database, queue: queue, clock: clock, isParked: isParked, pause: pause, log: log)
            : nil
        let upkeep = QueueUpkeep(queue: queue, feeder: feeder, clock: clock, pause: pause, log: log)
        // Once for the one that is read, once for the one that takes over from it.
        for _ in 0..<2 { await queue.maintain(at: clock.now()) }
        return QueueSet(
            queue: queue, desk: QueueDesk(queue: queue, database: database, clock: clock), feeder: feeder,
            upkeep: upkeep)
    }

    /// The counts as `/metrics` shows them.
    var samples: [Sample] {
        let (depth, status) = (upkeep.depth, queue.status)
        var samples = [
            Sample("cairn_queue_entries", .gauge, Double(depth.entries)),
            Sample("cairn_queue_devices", .gauge, Double(depth.devices)),
            Sample("cairn_queue_marked_devices", .gauge, Double(depth.marked)),
            Sample("cairn_queue_untold", .gauge, Double(feeder?.waitingCount ?? 0)),
        ]
        for side in status.isWritten.indices {
            let labels = ["storage": "\(side + 1)"]
            samples += [
                Sample("cairn_queue_read", .gauge, labels: labels, status.read == side ? 1 : 0),
                Sample("cairn_queue_written", .gauge, labels: labels, status.isWritten[side] ? 1 : 0),
                Sample("cairn_queue_failures_total", .counter, labels: labels, Double(status.failures[side])),
            ]
        }
        return samples
    }
}
