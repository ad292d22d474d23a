import Glibc
import Metadata
import RedisSupport
import TestSupport
import Testing

@testable import MessagingRedis

@Suite(.serialized, .timeLimit(.minutes(1))) struct RedisMetadataCacheTests {
    private let time = HandTime()

    private static func key(_ number: Int) -> MetadataCacheKey { MetadataCacheKey("test1", [Array("\(number)".utf8)]) }

    private func open(_ server: RedisServer, largest: Int = 1000) -> RedisMetadataCache {
        var options = RedisMetadataCache.Options()
        options.prefix = "c:"
        options.largest = largest
        return RedisMetadataCache(
            server.endpoint, options: options, generator: SeededGenerator(seed: 1), elapsed: { [time] in time.now })
    }

    /// Puts entries, and waits until they are there.
    private func fill(_ cache: RedisMetadataCache, _ numbers: Range<Int>) async throws {
        await cache.put(
            Dictionary(uniqueKeysWithValues: numbers.map { (Self.key($0), [UInt8(clamping: $0), 0, 255]) }))
        try await Patience.until { await cache.get(numbers.map(Self.key)).count == numbers.count }
    }

    @Test func `what was put is there, and nothing else`() async throws {
        let server = try await RedisServer.start()
        let cache = open(server)
        try await fill(cache, 0..<20)
        let found = await cache.get((10..<30).map(Self.key))
        #expect(found.count == 10)
        for number in 10..<20 { #expect(found[Self.key(number)] == [UInt8(number), 0, 255]) }
        #expect(await cache.get([]).isEmpty)
        guard case .integer(let left) = try server.call(["PTTL", "c:\(Self.key(1))"]) else {
            throw RedisReply.unexpected
        }
        #expect((1...86_400_000).contains(left))
        await cache.close()
        #expect(await cache.get([Self.key(1)]).isEmpty)
        await server.crash()
    }

    @Test func `what is too large is not kept`() async throws {
        let server = try await RedisServer.start()
        let cache = open(server, largest: 10)
        await cache.put([Self.key(1): Array(repeating: 1, count: 11), Self.key(2): Array(repeating: 1, count: 10)])
        try await Patience.until { await !cache.get([Self.key(2)]).isEmpty }
        #expect(await cache.get([Self.key(1)]).isEmpty)
        await cache.close()
        await server.crash()
    }

    @Test func `wrong bytes are a miss`() async throws {
        let server = try await RedisServer.start()
        let cache = open(server)
        try await fill(cache, 0..<6)
        try server.call(["SET", "c:\(Self.key(0))", "nonsense"])
        try server.call(["SET", "c:\(Self.key(1))", ""])
        try server.call(["SETRANGE", "c:\(Self.key(2))", "40", "X"])
        // The right bytes of another key.
        try server.call(["COPY", "c:\(Self.key(4))", "c:\(Self.key(3))", "REPLACE"])
        let before = cache.counts
        let found = await cache.get((0..<6).map(Self.key))
        #expect(Set(found.keys) == [Self.key(4), Self.key(5)])
        #expect(cache.counts.damaged - before.damaged == 4)
        // Not even a value of another kind is an error.
        try server.call(["DEL", "c:\(Self.key(5))"])
        try server.call(["LPUSH", "c:\(Self.key(5))", "a"])
        #expect(Set(await cache.get([Self.key(4), Self.key(5)]).keys) == [Self.key(4)])
        await cache.close()
        await server.crash()
    }

    @Test func `a dead cache costs nothing, and is found again`() async throws {
        let server = try await RedisServer.start()
        let cache = open(server)
        try await fill(cache, 0..<1)
        await server.crash()
        for _ in 0..<2 { #expect(await cache.get([Self.key(0)]).isEmpty) }
        #expect(cache.isLeftAlone)
        let failures = cache.counts.failures
        let begin = ContinuousClock.now
        for _ in 0..<10_000 {
            _ = await cache.get([Self.key(0)])
            await cache.put([Self.key(0): [0]])
        }
        #expect(begin.duration(to: .now) < .seconds(1))
        #expect(cache.counts.failures == failures)
        try await server.start()
        #expect(await cache.get([Self.key(0)]).isEmpty)
        #expect(cache.isLeftAlone)
        // The probe is nobody's call. It may come too early for the next connection, and then another one is due.
        try await Patience.until {
            time.advance(by: .seconds(5))
            _ = await cache.get([Self.key(0)])
            return !cache.isLeftAlone
        }
        try await fill(cache, 0..<1)
        await cache.close()
        await server.crash()
    }

    @Test func `a frozen cache is left alone after its deadline`() async throws {
        let server = try await RedisServer.start()
        let cache = open(server)
        try await fill(cache, 0..<1)
        server.signal(SIGSTOP)
        let begin = ContinuousClock.now
        for _ in 0..<50 { #expect(await cache.get([Self.key(0)]).isEmpty) }
        #expect(begin.duration(to: .now) < .seconds(3))
        time.advance(by: .seconds(5))
        let probe = ContinuousClock.now
        #expect(await cache.get([Self.key(0)]).isEmpty)
        #expect(probe.duration(to: .now) < .milliseconds(100))
        server.signal(SIGCONT)
        try await Patience.until {
            time.advance(by: .seconds(5))
            return await !cache.get([Self.key(0)]).isEmpty
        }
        await cache.close()
        await server.crash()
    }

    @Test func `an envelope opens as what was put in, under its key`() {
        let entry: [UInt8] = [1, 2, 3]
        let sealed = CacheEnvelope.seal(entry, for: Self.key(1))
        #expect(CacheEnvelope.open(sealed, for: Self.key(1)) == entry)
        #expect(CacheEnvelope.open(CacheEnvelope.seal([], for: Self.key(1)), for: Self.key(1)) == [])
        #expect(CacheEnvelope.open(sealed, for: Self.key(2)) == nil)
        #expect(CacheEnvelope.open(sealed, for: Self.key(10)) == nil)
        for count in 0..<sealed.count {
            #expect(CacheEnvelope.open(Array(sealed.prefix(count)), for: Self.key(1)) == nil)
        }
        for place in sealed.indices {
            var damaged = sealed
            damaged[place] ^= 0x40
            #expect(CacheEnvelope.open(damaged, for: Self.key(1)) == nil)
        }
    }

    @Test func `keys of other parts are other keys`() {
        let keys = [
            MetadataCacheKey("a", []), MetadataCacheKey("a", [[]]), MetadataCacheKey("a", [[], []]),
            MetadataCacheKey("a", [[49, 58]]), MetadataCacheKey("a", [[49], [58]]),
            MetadataCacheKey("a", [[58], [49]]),
            MetadataCacheKey("b", []),
        ]
        #expect(Set(keys).count == keys.count)
    }

    @Test func `a breaker opens after some failures, and one probe closes it`() {
        var breaker = CircuitBreaker(tolerance: 2, pause: .seconds(5))
        breaker.failed(at: .zero)
        breaker.succeeded()
        breaker.failed(at: .zero)
        #expect(breaker.ask(at: .zero) == .call)
        breaker.failed(at: .seconds(1))
        #expect(breaker.ask(at: .seconds(5)) == .refrain)
        #expect(breaker.ask(at: .seconds(6)) == .probe)
        #expect(breaker.ask(at: .seconds(7)) == .refrain)
        breaker.failed(at: .seconds(7))
        #expect(breaker.ask(at: .seconds(11)) == .refrain)
        #expect(breaker.ask(at: .seconds(12)) == .probe)
        breaker.succeeded()
        #expect(!breaker.isOpen)
        #expect(breaker.ask(at: .seconds(12)) == .call)
    }

    @Test func `the breaker says once that it opened, and once that it closed`() {
        var breaker = CircuitBreaker(tolerance: 2, pause: .seconds(5))
        var opened = [breaker.succeeded()]
        // The last one is of a call that was begun before it opened.
        for _ in 0..<3 { opened.append(breaker.failed(at: .zero)) }
        #expect(opened == [false, false, true, false])
        #expect(breaker.ask(at: .seconds(5)) == .probe)
        let again = breaker.failed(at: .seconds(5))
        #expect(!again, "it was open all the time")
        #expect(breaker.ask(at: .seconds(10)) == .probe)
        let closed = [breaker.succeeded(), breaker.succeeded()]
        #expect(closed == [true, false])
    }
}
