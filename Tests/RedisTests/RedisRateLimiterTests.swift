import Messaging
import RedisSupport
import TestSupport
import Testing

@testable import MessagingRedis

@Suite(.serialized, .timeLimit(.minutes(1))) struct RedisRateLimiterTests {
    private let time = HandTime()
    private let rule = RateRule(burst: 3, interval: .seconds(100))

    private func open(_ server: RedisServer, seed: UInt64 = 1) -> RedisRateLimiter {
        RedisRateLimiter(
            server.endpoint, generator: SeededGenerator(seed: seed), elapsed: { [time] in time.now })
    }

    @Test func `servers share a bucket, and keys do not`() async throws {
        let server = try await RedisServer.start()
        let limiters = [open(server), open(server, seed: 2)]
        for limiter in limiters { #expect(await limiter.take(1, of: "a", by: rule) == .allowed) }
        #expect(await limiters[0].take(1, of: "a", by: rule) == .allowed)
        for limiter in limiters {
            guard case .refused(let pause) = await limiter.take(1, of: "a", by: rule) else {
                Issue.record("a bucket holds no more than it holds")
                continue
            }
            #expect(pause > .seconds(90) && pause <= .seconds(100))
        }
        #expect(await limiters[1].take(3, of: "b", by: rule) == .allowed)
        guard case .integer(let left) = try server.call(["PTTL", "cairn:rate:b"]) else { throw RedisReply.unexpected }
        #expect((290_000...300_010).contains(left))
        for limiter in limiters { await limiter.close() }
        await server.crash()
    }

    @Test func `a bucket is filled for all servers, and for who counts alone`() async throws {
        let server = try await RedisServer.start()
        let limiters = [open(server), open(server, seed: 2)]
        #expect(await limiters[0].take(3, of: "a", by: rule) == .allowed)
        #expect(await limiters[1].take(1, of: "a", by: rule) != .allowed)
        await limiters[0].refill("a")
        #expect(await limiters[1].take(3, of: "a", by: rule) == .allowed)
        await server.crash()
        for _ in 0..<2 {
            #expect(await limiters[0].take(3, of: "a", by: rule) == .allowed)
            #expect(await limiters[0].take(1, of: "a", by: rule) != .allowed)
            await limiters[0].refill("a")
        }
        #expect(limiters[0].isLeftAlone)
        for limiter in limiters { await limiter.close() }
    }

    @Test func `tokens come back with time`() async throws {
        let server = try await RedisServer.start()
        let limiter = open(server)
        let quick = RateRule(burst: 2, interval: .milliseconds(500))
        #expect(await limiter.take(2, of: "a", by: quick) == .allowed)
        #expect(await limiter.take(2, of: "a", by: quick) != .allowed)
        try await Patience.until { await limiter.take(2, of: "a", by: quick) == .allowed }
        await limiter.close()
        await server.crash()
    }

    @Test func `without Redis a server has buckets of its own`() async throws {
        let server = try await RedisServer.start()
        let limiter = open(server)
        #expect(await limiter.take(3, of: "a", by: rule) == .allowed)
        #expect(await limiter.take(1, of: "a", by: rule) != .allowed)
        await server.crash()
        #expect(await limiter.take(3, of: "a", by: rule) == .allowed)
        #expect(await limiter.take(1, of: "a", by: rule) == .refused(retryAfter: .seconds(100)))
        let begin = ContinuousClock.now
        for _ in 0..<1000 { _ = await limiter.take(1, of: "a", by: rule) }
        #expect(begin.duration(to: .now) < .seconds(1))
        try await server.start()
        // It was started without data: its bucket is full.
        try await Patience.until {
            time.advance(by: .seconds(2))
            _ = await limiter.take(1, of: "fresh", by: rule)
            return try server.call(["EXISTS", "cairn:rate:fresh"]) == .integer(1)
        }
        await limiter.close()
        await server.crash()
    }
}
