import Messaging
import MessagingConformance
import Model
import Synchronization
import Testing

private typealias Fixture = QueueFixture

@Suite("A doubled queue")
struct DoubledOfflineQueueTests {
    /// A pair that has begun and knows devices 1 and 2.
    private func pair() async throws -> Pair {
        let pair = Pair()
        await pair.recover()
        try await pair.first.introduce(1, 2)
        try await pair.second.introduce(1, 2)
        return pair
    }

    @Test("writes to both, and reads from the first")
    func both() async throws {
        let pair = try await pair()
        try await pair.queue.add([Fixture.moved(1, 1)], to: 1)
        #expect(try await pair.first.read(1).entries == [Fixture.moved(1, 1)])
        #expect(try await pair.second.read(1).entries == [Fixture.moved(1, 1)])
        #expect(try await pair.queue.read(1).position?.queue == Fixture.identity(1))
        #expect(pair.queue.status.read == 0)
        #expect(try await pair.first.peerBehindSince() == 0)
    }

    @Test("an acknowledgement reaches both, from whichever the device read")
    func acknowledgement() async throws {
        let pair = try await pair()
        try await pair.queue.add([Fixture.moved(1, 1)], to: 1)
        let delivery = try await pair.second.read(1)
        #expect(try await pair.queue.acknowledge(delivery.position, by: 1) == [Fixture.moved(1, 1)])
        #expect(try await pair.first.read(1) == .nothing)
        #expect(try await pair.second.read(1) == .nothing)
    }

    @Test("a read that fails is answered by the second in the same call; nothing is read from the first from then on")
    func readFailure() async throws {
        let pair = try await pair()
        try await pair.queue.add([Fixture.moved(1, 1)], to: 1)
        pair.first.plan = .init(isGone: true)
        #expect(try await pair.queue.read(1).entries == [Fixture.moved(1, 1)])
        #expect(pair.queue.status.read == 1)
        #expect(pair.queue.status.failures == [1, 0])
        let calls = pair.first.calls
        #expect(try await pair.queue.read(1).position?.queue == Fixture.identity(2))
        #expect(pair.first.calls == calls)
    }

    @Test("a write that one of them misses is durable in the other, which notes that it is alone")
    func writeFailure() async throws {
        let pair = try await pair()
        pair.first.plan = .init(isGone: true)
        try await pair.queue.add([Fixture.moved(1, 1)], to: 1)
        #expect(try await pair.second.read(1).entries == [Fixture.moved(1, 1)])
        #expect(try await pair.second.peerBehindSince() > 0)
        #expect(try await pair.queue.read(1).entries == [Fixture.moved(1, 1)])
    }

    @Test("what was out is brought up to date before it is read again")
    func comingBack() async throws {
        let pair = try await pair()
        try await pair.queue.add([Fixture.moved(1, 1)], to: 1)
        pair.first.plan = .init(isGone: true)
        try await pair.queue.add([Fixture.moved(2, 1)], to: 1)
        try await pair.queue.acknowledge(try await pair.queue.read(1).position, by: 1)
        try await pair.queue.add([Fixture.moved(3, 1)], to: 1)
        try await pair.queue.remove([Fixture.device(2)], at: Fixture.time)
        // As long as it is gone it is not used.
        #expect(await !pair.recover())
        #expect(pair.queue.status.read == 1)
        pair.first.plan = .init()
        #expect(await !pair.recover())
        #expect(pair.queue.status.read == 0)
        #expect(try await pair.second.peerBehindSince() == 0)
        #expect(try await pair.queue.read(1).entries == [Fixture.moved(3, 1)])
        #expect(try await pair.queue.read(1).position?.queue == Fixture.identity(1))
        #expect(try await pair.first.page(after: nil, atMost: 9) == pair.second.page(after: nil, atMost: 9))
    }

    @Test("a process that begins anew knows which of them is behind")
    func restart() async throws {
        let pair = try await pair()
        pair.first.plan = .init(isGone: true)
        try await pair.queue.add([Fixture.moved(1, 1)], to: 1)
        pair.first.plan = .init()
        let next = Pair.doubled(pair.first, pair.second, ManualElapsed())
        await next.maintain(at: Fixture.time)
        #expect(next.status.read == 0)
        #expect(try await next.read(1).entries == [Fixture.moved(1, 1)])
        #expect(try await pair.first.read(1).entries == [Fixture.moved(1, 1)])
    }

    @Test("one that begins without the other lets every device read from its cursor")
    func aloneFromTheStart() async throws {
        let pair = try await pair()
        try await pair.queue.add([Fixture.moved(1, 1)], to: 1)
        pair.first.plan = .init(isGone: true)
        let next = Pair.doubled(pair.first, pair.second, ManualElapsed())
        #expect(try await next.read(1).readFromCursor)
        #expect(await !next.maintain(at: Fixture.time))
        #expect(await next.maintain(at: Fixture.time))
        #expect(next.status.read == 1)
        #expect(try await next.read(1).readFromCursor)
    }

    @Test("when both are out, writing fails, and reading says to read from the cursor")
    func bothOut() async throws {
        let pair = try await pair()
        try await pair.queue.add([Fixture.moved(1, 1)], to: 1)
        pair.first.plan = .init(isGone: true)
        pair.second.plan = .init(isGone: true)
        await #expect(throws: QueueError(.unavailable, "")) {
            try await pair.queue.add([Fixture.moved(1, 2)], to: 1)
        }
        #expect(try await pair.queue.read(1) == QueueDelivery(entries: [], position: nil, readFromCursor: true))
        #expect(pair.queue.status.read == nil)
        #expect(try await pair.queue.depth() == QueueDepth())
        // The first to come back has nobody to take over from: its devices read from their cursors, and the journal
        // is to be filled in.
        pair.second.plan = .init()
        #expect(await pair.recover())
        #expect(pair.queue.status.read == 1)
        #expect(try await pair.queue.read(1).readFromCursor)
        pair.first.plan = .init()
        #expect(await !pair.recover())
        #expect(pair.queue.status.read == 0)
        #expect(try await pair.queue.read(1).readFromCursor)
    }

    @Test("a storage that was replaced by an empty one is filled from the other")
    func replaced() async throws {
        let pair = try await pair()
        try await pair.queue.add([Fixture.moved(1, 1)], to: 1)
        let old = try await pair.queue.read(1)
        pair.first.plan = .init(isGone: true)
        try await pair.queue.add([Fixture.moved(2, 1)], to: 1)
        pair.first.replace(by: MemoryOfflineQueue(identity: Fixture.identity(3)))
        pair.first.plan = .init()
        await pair.recover()
        #expect(try await pair.queue.read(1).entries == [Fixture.moved(1, 1), Fixture.moved(2, 1)])
        // Numbers of the storage that is gone mean nothing.
        #expect(try await pair.queue.acknowledge(old.position, by: 1).isEmpty)
        #expect(try await pair.queue.read(1).entries.count == 2)
    }

    @Test("a storage that does not answer is given up after a while", .timeLimit(.minutes(1)))
    func hanging() async throws {
        let hung = HungQueue(MemoryOfflineQueue(identity: Fixture.identity(1)))
        let second = MemoryOfflineQueue(identity: Fixture.identity(2))
        let queue = Pair.doubled(hung, second, ManualElapsed(), hung.pause)
        for _ in 0..<2 { await queue.maintain(at: Fixture.time) }
        try await queue.introduce(1)
        hung.hang()
        async let added: Void = queue.add([Fixture.moved(1, 1)], to: 1)
        await hung.strike()
        try await added
        #expect(queue.status.read == 1)
        #expect(queue.status.lastFailures[0]?.contains("did not answer") == true)
        #expect(try await second.peerBehindSince() > 0)
        #expect(try await queue.read(1).entries == [Fixture.moved(1, 1)])
        hung.release()
    }

    @Test("a write does not miss what came back while it was at the other one", .timeLimit(.minutes(1)))
    func comingBackDuringWrite() async throws {
        let first = FaultyOfflineQueue(MemoryOfflineQueue(identity: Fixture.identity(1)))
        let second = HungQueue(MemoryOfflineQueue(identity: Fixture.identity(2)))
        let elapsed = ManualElapsed()
        let queue = Pair.doubled(first, second, elapsed)
        for _ in 0..<2 { await queue.maintain(at: Fixture.time) }
        try await first.introduce(1)
        try await second.introduce(1)
        first.plan = .init(isGone: true)
        second.hang()
        async let added: Void = queue.add([Fixture.moved(1, 1)], to: 1)
        while first.failures == 0 || second.hangingCount == 0 { await Task.yield() }
        // The first comes back and takes over what the second has: the addition has not arrived there yet.
        first.plan = .init()
        elapsed.advance(by: .seconds(60))
        while queue.status.read != 0 {
            await queue.maintain(at: Fixture.time)
            elapsed.advance(by: .seconds(60))
        }
        #expect(try await first.read(1) == .nothing)
        second.release()
        try await added
        #expect(try await queue.read(1).entries == [Fixture.moved(1, 1)])
        #expect(try await queue.read(1).position?.queue == Fixture.identity(1))
    }

    @Test("closing closes both")
    func closing() async throws {
        let pair = try await pair()
        let first = ReopeningOfflineQueue("first") { pair.first }
        let queue = Pair.doubled(first, pair.second, ManualElapsed())
        await queue.maintain(at: Fixture.time)
        try await queue.close()
        await #expect(throws: QueueError(.unavailable, "")) { try await first.depth() }
    }
}
