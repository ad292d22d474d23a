import Glibc
import Messaging
import MessagingConformance
import Model
import RedisSupport
import Synchronization
import TestSupport
import Testing

@testable import MessagingRedis

private typealias Fixture = QueueFixture

@Suite(.serialized, .timeLimit(.minutes(1))) struct RedisOfflineQueueTests {
    private static func open(
        _ server: RedisServer, _ prefix: String = "q:", bounds: QueueBounds = QueueBounds(), copies: Int = 0,
        seed: UInt64 = 1
    ) async throws -> RedisOfflineQueue {
        var options = RedisOfflineQueue.Options()
        options.prefix = prefix
        options.bounds = bounds
        options.copies = copies
        return try await RedisOfflineQueue.open(
            server.endpoint, options: options, generator: SeededGenerator(seed: seed))
    }

    @Test("the queue on Redis keeps the contract", arguments: OfflineQueueConformance.checks)
    func contract(check: OfflineQueueConformance.Check) async throws {
        let server = try await RedisServer.start()
        let count = Mutex<UInt64>(0)
        try await check.run { bounds in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return try await Self.open(server, "q\(number):", bounds: bounds, seed: number)
        }
        await server.crash()
    }

    // MARK: Against the model

    private struct Player {
        let queue: any OfflineQueueReplica
        var forgotten: Int64

        /// Plays one step; the same random numbers give the same step.
        mutating func play(_ random: inout SeededGenerator, step: Int64) async throws {
            let device = UInt64.random(in: 1...4, using: &random)
            let entries = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                let (key, version) = (
                    UInt64.random(in: 1...9, using: &random), Int64.random(in: 1...30, using: &random)
                )
                return key < 7 ? Fixture.moved(key, UInt64(version)) : Fixture.event(.shareOffered, key, at: version)
            }
            let limit = Int.random(in: 1...8, using: &random)
            switch Int.random(in: 0..<40, using: &random) {
            case 0..<18: try await queue.add(entries, to: device, at: step)
            case 18..<28: try await queue.acknowledge(try await queue.read(device, atMost: limit).position, by: device)
            case 28..<32: try await queue.settle(entries.map { QueueAddition(Fixture.device(device), $0) })
            case 32..<34: try await queue.expire(before: Fixture.time(step - 20))
            case 34..<37:
                let waiting = Dictionary(grouping: entries, by: \.key).values.map { $0[0] }
                let state = QueuedDevice(
                    device: Fixture.device(device), waiting: waiting.sorted { "\($0.key)" < "\($1.key)" },
                    isMarked: limit > 6)
                let late: Int64 = limit == 5 ? 1 : 0
                try await queue.adopt([state], forgotten: forgotten - late, at: Fixture.time(step))
            case 37 where limit < 3: forgotten = try await queue.forget()
            case 38 where limit == 1: try await queue.remove([Fixture.device(device)], at: Fixture.time(step))
            default: break
            }
        }
    }

    @Test("the queue on Redis does what the model does", arguments: 1...6 as ClosedRange<UInt64>)
    func model(seed: UInt64) async throws {
        var bounds = QueueBounds()
        bounds.entries = 6
        bounds.remembered = 5
        let server = try await RedisServer.start()
        let queue = try await Self.open(server, bounds: bounds)
        let model = MemoryOfflineQueue(identity: Fixture.identity(1), bounds: bounds)
        var real = Player(queue: queue, forgotten: try await queue.forget())
        var ideal = Player(queue: model, forgotten: try await model.forget())
        var random = SeededGenerator(seed: seed)
        for step in 0..<300 as Range<Int64> {
            var same = random
            try await real.play(&random, step: step)
            try await ideal.play(&same, step: step)
            for device in 1...4 as ClosedRange<UInt64> {
                let (told, expected) = (try await queue.read(device), try await model.read(device))
                let isSame =
                    told.entries == expected.entries && told.readFromCursor == expected.readFromCursor
                    && told.position?.number == expected.position?.number
                try #require(isSame, "seed \(seed), step \(step), device \(device): \(told), not \(expected)")
            }
        }
        #expect(try await queue.depth() == model.depth())
        #expect(try await queue.page(after: nil, atMost: 9) == model.page(after: nil, atMost: 9))
        try await queue.close()
        await server.crash()
    }

    // MARK: Losses

    /// Calls until the queue has noticed that it is on another storage.
    private func settle(_ queue: RedisOfflineQueue) async throws {
        try await Patience.until {
            do {
                _ = try await queue.read(99)
                return true
            } catch {
                return false
            }
        }
    }

    @Test func `what was there before a restart is forgotten, and says so`() async throws {
        let server = try await RedisServer.start("--appendonly", "yes")
        let queue = try await Self.open(server)
        try await queue.introduce(1, 2)
        try await queue.notePeerCaughtUp(1)
        try await queue.add([Fixture.moved(1, 1)], to: 1)
        let before = try await queue.read(1)
        #expect(!before.readFromCursor)
        await server.crash()
        await #expect(throws: (any Error).self) { try await queue.read(1) }
        try await server.start()
        try await settle(queue)
        for device in [1, 2, 3] as [UInt64] { #expect(try await queue.read(device).readFromCursor) }
        // It may have noted that the other one is behind, and lost that.
        #expect(try await queue.peerBehindSince() == 1)
        #expect(try await queue.acknowledge(before.position, by: 1).isEmpty)
        #expect(try await queue.read(1).readFromCursor)
        try await queue.acknowledge(try await queue.read(1).position, by: 1)
        #expect(try await queue.read(1) == .nothing)
        try await queue.close()
        await server.crash()
    }

    @Test func `a call finds out that the server was replaced, once`() async throws {
        let server = try await RedisServer.start("--appendonly", "yes")
        let queue = try await Self.open(server)
        try await queue.introduce(1)
        await server.crash()
        try server.loseData()
        try await server.start()
        await #expect(throws: QueueError(.unavailable, "")) { try await queue.add([Fixture.moved(1, 1)], to: 1) }
        try await queue.add([Fixture.moved(1, 1)], to: 1)
        let delivery = try await queue.read(1)
        #expect(delivery.readFromCursor)
        #expect(delivery.entries == [Fixture.moved(1, 1)])
        try await queue.close()
        await server.crash()
    }

    @Test func `a queue that was emptied under its feet says so`() async throws {
        let server = try await RedisServer.start()
        let queue = try await Self.open(server)
        try await queue.introduce(1)
        let position = try await queue.read(2).position
        try server.call(["FLUSHALL"])
        await #expect(throws: QueueError(.unavailable, "")) { try await queue.read(1) }
        #expect(try await queue.read(1).readFromCursor)
        #expect(try await queue.read(2).position != position)
        try await queue.acknowledge(position, by: 2)
        #expect(try await queue.read(2).readFromCursor)
        try await queue.close()
        await server.crash()
    }

    @Test func `each process that wrote to the run before lets all devices read from their cursors`() async throws {
        let server = try await RedisServer.start("--appendonly", "yes")
        let (first, second) = (try await Self.open(server), try await Self.open(server, seed: 2))
        try await first.introduce(1)
        await server.crash()
        try await server.start()
        try await settle(first)
        try await first.acknowledge(try await first.read(1).position, by: 1)
        #expect(try await first.read(1) == .nothing)
        // The second one may have told the run before something that is lost since.
        await #expect(throws: QueueError(.unavailable, "")) { try await second.read(1) }
        #expect(try await second.read(1).readFromCursor)
        // One that was just started has not.
        try await second.acknowledge(try await second.read(1).position, by: 1)
        let third = try await Self.open(server, seed: 3)
        #expect(try await third.read(1) == .nothing)
        for queue in [first, second, third] { try await queue.close() }
        await server.crash()
    }

    @Test func `late copies from before a loss are not taken over`() async throws {
        let server = try await RedisServer.start("--appendonly", "yes")
        let queue = try await Self.open(server)
        let forgotten = try await queue.forget()
        await server.crash()
        try await server.start()
        try await settle(queue)
        try await queue.adopt([QueuedDevice(device: Fixture.device(1))], forgotten: forgotten, at: Fixture.time)
        #expect(try await queue.read(1).readFromCursor)
        try await queue.close()
        await server.crash()
    }

    @Test func `kill -9 in the middle of writes: what was taken is told, or all is read from the cursor`() async throws
    {
        let server = try await RedisServer.start("--appendonly", "yes")
        let queue = try await Self.open(server)
        try await queue.introduce(1)
        let taken = try await withThrowingTaskGroup(of: Set<QueueEntry>.self) { group in
            for task in 0..<4 as Range<UInt64> {
                group.addTask {
                    var taken: Set<QueueEntry> = []
                    for number in 0... {
                        let entry = Fixture.moved(task * 100 + UInt64(number) % 50, UInt64(number))
                        do { try await queue.add([entry], to: 1) } catch { break }
                        taken.insert(entry)
                    }
                    return taken
                }
            }
            await Patience.aMoment(150)
            await server.crash()
            return try await group.reduce(into: Set<QueueEntry>()) { $0.formUnion($1) }
        }
        #expect(!taken.isEmpty)
        try await server.start()
        try await settle(queue)
        let delivery = try await queue.read(1)
        #expect(delivery.readFromCursor || taken.isSubset(of: delivery.entries))
        try await queue.close()
        await server.crash()
    }

    @Test func `a frozen server fails calls in time, and has lost nothing when it goes on`() async throws {
        let server = try await RedisServer.start()
        let queue = try await Self.open(server)
        try await queue.introduce(1)
        try await queue.add([Fixture.moved(1, 1)], to: 1)
        server.signal(SIGSTOP)
        let begin = ContinuousClock.now
        await #expect(throws: RedisError(.timedOut, "")) { try await queue.read(1) }
        #expect(begin.duration(to: .now) < .milliseconds(1500))
        server.signal(SIGCONT)
        try await settle(queue)
        #expect(try await queue.read(1).entries == [Fixture.moved(1, 1)])
        #expect(try await !queue.read(1).readFromCursor)
        try await queue.close()
        await server.crash()
    }

    // MARK: Servers

    @Test func `a server that may evict the queue, or does not let it in, is refused`() async throws {
        let evicting = try await RedisServer.start("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
        let error = await #expect(throws: RedisError(.unsuitable, "")) { try await Self.open(evicting) }
        #expect(error?.message.contains("allkeys-lru") == true)
        let cautious = try await RedisServer.start("--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru")
        try await Self.open(cautious).close()
        let guarded = try await RedisServer.start("--requirepass", "right")
        await #expect(throws: RedisError(.refused, "")) { try await Self.open(guarded) }
    }

    @Test func `a server that forgot its scripts is given them again`() async throws {
        let server = try await RedisServer.start()
        let queue = try await Self.open(server)
        try await queue.introduce(1)
        try server.call(["SCRIPT", "FLUSH"])
        try await queue.add([Fixture.moved(1, 1)], to: 1)
        #expect(try await queue.read(1).entries.count == 1)
        try await queue.close()
        await server.crash()
    }

    @Test func `a write that no replica has is no write, where one is wanted`() async throws {
        let server = try await RedisServer.start()
        await #expect(throws: RedisError(.timedOut, "")) { try await Self.open(server, copies: 1) }
        let replica = try await RedisServer.start("--replicaof", "127.0.0.1 \(server.port)")
        #expect(await replica.log?.wait(for: "Finished with success") == true)
        // On a busy machine the replica may be slow, too: what failed is done again.
        var opened: RedisOfflineQueue?
        try await Patience.until {
            opened = try? await Self.open(server, copies: 1)
            return opened != nil
        }
        let queue = try #require(opened)
        try await Patience.until { (try? await queue.introduce(1)) != nil }
        replica.signal(SIGSTOP)
        await #expect(throws: RedisError(.timedOut, "")) { try await queue.add([Fixture.moved(1, 1)], to: 1) }
        replica.signal(SIGCONT)
        try await Patience.until {
            do {
                try await queue.add([Fixture.moved(1, 1)], to: 1)
                return true
            } catch {
                return false
            }
        }
        #expect(try await queue.read(1).entries == [Fixture.moved(1, 1)])
        try await queue.close()
    }

    @Test func `after a failover by Sentinel devices read from their cursors, and all goes on`() async throws {
        let master = try await RedisServer.start()
        let replica = try await RedisServer.start("--replicaof", "127.0.0.1 \(master.port)")
        #expect(await replica.log?.wait(for: "Finished with success") == true)
        let sentinel = try await RedisServer.startSentinel(of: master)
        let absent = RedisAddress(host: "127.0.0.1", port: 1)
        #expect(await sentinel.log?.wait(for: "+slave slave") == true)
        let endpoint = RedisServer.quick(RedisEndpoint(.sentinels([absent, sentinel.address], master: "m")))
        let queue = try await RedisOfflineQueue.open(endpoint, generator: SeededGenerator(seed: 1))
        try await queue.introduce(1)
        try await queue.add([Fixture.moved(1, 1)], to: 1)
        await master.crash()
        await #expect(throws: (any Error).self) { try await queue.read(1) }
        #expect(await sentinel.log?.wait(for: "+switch-master") == true)
        try await settle(queue)
        #expect(try await queue.read(1).readFromCursor)
        try await queue.add([Fixture.moved(1, 2)], to: 1)
        #expect(try await queue.read(1).entries == [Fixture.moved(1, 2)])
        try await queue.close()
        let lost = RedisServer.quick(RedisEndpoint(.sentinels([sentinel.address], master: "nobody")))
        let error = await #expect(throws: RedisError(.unreachable, "")) {
            try await RedisOfflineQueue.open(lost, generator: SeededGenerator(seed: 1))
        }
        #expect(error?.message.contains("'nobody'") == true)
    }

    // MARK: Two of them

    @Test func `two queues on Redis stand in for each other`() async throws {
        let servers = [try await RedisServer.start(), try await RedisServer.start()]
        let time = HandTime()
        let replicas = servers.enumerated().map { place, server in
            ReopeningOfflineQueue("queue \(place)") { try await Self.open(server, seed: UInt64(place + 1)) }
        }
        let queue = DoubledOfflineQueue(
            replicas[0], replicas[1], elapsed: { time.now }, pause: { try await ContinuousClock().sleep(for: $0) })
        func maintain() async {
            time.advance(by: .seconds(60))
            for _ in 0..<2 { await queue.maintain(at: Fixture.time) }
        }
        await maintain()
        // Each half marks a device that it hears of for the first time, and only the one that is read can be acknowledged.
        for replica in replicas { try await replica.introduce(1, 2) }
        try await queue.add([Fixture.moved(1, 1)], to: 1)
        await servers[0].crash()
        #expect(try await queue.read(1).entries == [Fixture.moved(1, 1)])
        try await queue.add([Fixture.moved(2, 1)], to: 1)
        #expect(queue.status.isWritten == [false, true])
        try servers[0].loseData()
        try await servers[0].start()
        await maintain()
        #expect(queue.status.isWritten == [true, true])
        #expect(queue.status.read == 0)
        // The first has taken over all, and the second may go.
        await servers[1].crash()
        #expect(try await queue.read(1).entries == [Fixture.moved(1, 1), Fixture.moved(2, 1)])
        #expect(try await !queue.read(1).readFromCursor)
        #expect(try await queue.read(2) == .nothing)
        try await queue.add([Fixture.moved(3, 1)], to: 2)
        #expect(try await queue.read(2).entries == [Fixture.moved(3, 1)])
        try await queue.close()
        for server in servers { await server.crash() }
    }

    @Test func `a half that was restarted between two calls takes over from the other`() async throws {
        let servers = [
            try await RedisServer.start("--appendonly", "yes"), try await RedisServer.start("--appendonly", "yes"),
        ]
        let time = HandTime()
        let replicas = [try await Self.open(servers[0], seed: 1), try await Self.open(servers[1], seed: 2)]
        let queue = DoubledOfflineQueue(
            replicas[0], replicas[1], elapsed: { time.now }, pause: { try await ContinuousClock().sleep(for: $0) })
        for _ in 0..<3 {
            time.advance(by: .seconds(60))
            await queue.maintain(at: Fixture.time)
        }
        for replica in replicas { try await replica.introduce(1) }
        try await queue.add([Fixture.moved(1, 1)], to: 1)
        await servers[0].crash()
        try await servers[0].start()
        let delivery = try await queue.read(1)
        #expect(delivery.entries == [Fixture.moved(1, 1)])
        #expect(!delivery.readFromCursor)
        #expect(queue.status.isWritten == [false, true])
        time.advance(by: .seconds(60))
        await queue.maintain(at: Fixture.time)
        #expect(queue.status.read == 0)
        #expect(try await queue.read(1).entries == [Fixture.moved(1, 1)])
        #expect(try await !queue.read(1).readFromCursor)
        try await queue.close()
        for server in servers { await server.crash() }
    }
}
