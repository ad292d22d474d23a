import Messaging
import MessagingConformance
import Model
import Synchronization
import Testing

private typealias Fixture = QueueFixture

@Suite("A queue whose storage may not be there")
struct ReopeningOfflineQueueTests {
    /// A storage that can be away, and counts how often it was opened.
    private final class Shelf: Sendable {
        let storage = MemoryOfflineQueue(identity: Fixture.identity(1))
        private let state = Mutex((isThere: true, opened: 0))

        var isThere: Bool {
            get { state.withLock { $0.isThere } }
            set { state.withLock { $0.isThere = newValue } }
        }
        var opened: Int { state.withLock { $0.opened } }

        func open() throws -> any OfflineQueueReplica {
            try state.withLock { state in
                guard state.isThere else { throw QueueError(.unavailable, "the storage is away") }
                state.opened += 1
            }
            return storage
        }
    }

    private let shelf = Shelf()

    private var queue: ReopeningOfflineQueue { ReopeningOfflineQueue("queue") { [shelf] in try shelf.open() } }

    @Test("it keeps the contract once it was opened", arguments: OfflineQueueConformance.checks)
    func conforms(_ check: OfflineQueueConformance.Check) async throws {
        try await check.run { bounds in
            let storage = MemoryOfflineQueue(identity: Fixture.identity(1), bounds: bounds)
            let queue = ReopeningOfflineQueue("queue") { storage }
            _ = try await queue.peerBehindSince()
            return queue
        }
    }

    @Test("it is opened when it is first asked what it knows, not before")
    func opening() async throws {
        let queue = queue
        await #expect(throws: QueueError(.unavailable, "")) { try await queue.read(1) }
        #expect(shelf.opened == 0)
        #expect(try await queue.peerBehindSince() == 1)
        _ = try await queue.peerBehindSince()
        #expect(shelf.opened == 1)
        #expect(try await queue.read(1).readFromCursor)
    }

    @Test("it is opened anew when it forgets")
    func reopening() async throws {
        let queue = queue
        _ = try await queue.peerBehindSince()
        shelf.isThere = false
        await #expect(throws: QueueError(.unavailable, "")) { _ = try await queue.forget() }
        shelf.isThere = true
        #expect(try await queue.forget() == 2)
        #expect(shelf.opened == 2)
    }

    @Test("it is not opened any more once it is closed")
    func closing() async throws {
        let queue = queue
        _ = try await queue.peerBehindSince()
        try await queue.close()
        try await queue.close()
        await #expect(throws: QueueError(.unavailable, "")) { try await queue.peerBehindSince() }
        await #expect(throws: QueueError(.unavailable, "")) { try await queue.depth() }
    }

    @Test("a pair begins while one storage is away, and takes it in when it comes")
    func lateStorage() async throws {
        shelf.isThere = false
        let elapsed = ManualElapsed()
        let second = MemoryOfflineQueue(identity: Fixture.identity(2))
        let pair = Pair.doubled(queue, second, elapsed)
        for _ in 0..<2 { await pair.maintain(at: Fixture.time) }
        #expect(pair.status.read == 1)
        try await pair.introduce(1)
        try await pair.add([Fixture.moved(1, 1)], to: 1)
        shelf.isThere = true
        elapsed.advance(by: .seconds(60))
        await pair.maintain(at: Fixture.time)
        #expect(pair.status.read == 0)
        #expect(try await pair.read(1).entries == [Fixture.moved(1, 1)])
        #expect(try await pair.read(1).position?.queue == Fixture.identity(1))
    }
}
