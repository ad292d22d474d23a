import Messaging
import MessagingConformance
import Model

/// A doubled queue over two replicas with faults, whose time is moved by hand.
final class Pair: Sendable {
    let first: FaultyOfflineQueue
    let second: FaultyOfflineQueue
    let elapsed = ManualElapsed()
    let queue: DoubledOfflineQueue

    init(seed: UInt64 = 0, pause: @escaping @Sendable (Duration) async throws -> Void = Pauses.endless) {
        first = FaultyOfflineQueue(MemoryOfflineQueue(identity: QueueFixture.identity(1)), seed: seed)
        second = FaultyOfflineQueue(MemoryOfflineQueue(identity: QueueFixture.identity(2)), seed: seed &+ 1)
        queue = Self.doubled(first, second, elapsed, pause)
    }

    /// A process that begins on storage that there is.
    static func doubled(
        _ first: any OfflineQueueReplica, _ second: any OfflineQueueReplica, _ elapsed: ManualElapsed,
        _ pause: @escaping @Sendable (Duration) async throws -> Void = Pauses.endless
    ) -> DoubledOfflineQueue {
        var limits = DoubledOfflineQueue.Limits()
        limits.pageSize = 2
        return DoubledOfflineQueue(first, second, limits: limits, elapsed: { elapsed.now }, pause: pause)
    }

    /// Lets a minute pass, and brings back what can be.
    @discardableResult
    func recover() async -> Bool {
        elapsed.advance(by: .seconds(60))
        var wantsFilling = false
        // The second may have to wait for the first.
        for _ in 0..<2 { wantsFilling = await queue.maintain(at: QueueFixture.time) || wantsFilling }
        return wantsFilling
    }
}
