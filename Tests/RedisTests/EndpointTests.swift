import Testing

@testable import MessagingRedis

@Suite struct EndpointTests {
    @Test func `an endpoint is read from its text`() throws {
        let plain = try #require(RedisEndpoint("redis.internal:6379"))
        #expect(plain.location == .server(RedisAddress(host: "redis.internal", port: 6379)))
        #expect(plain.database == 0)
        let numbered = try #require(RedisEndpoint("[::1]:7000/3"))
        #expect(numbered.location == .server(RedisAddress(host: "::1", port: 7000)))
        #expect(numbered.database == 3)
        let watched = try #require(RedisEndpoint("cairn@a:26379,b:26380/1"))
        let sentinels = [RedisAddress(host: "a", port: 26379), RedisAddress(host: "b", port: 26380)]
        #expect(watched.location == .sentinels(sentinels, master: "cairn"))
        #expect(watched.database == 1)
    }

    @Test(
        arguments: [
            "", "host", "host:", ":6379", "host:0", "host:65536", "host:x", "a:1,b:2", "@a:1", "m@", "m@a:1,", "a:1/",
            "a:1/-1", "a:1/x", "a:1/1/2", "m@n@a:1", "::1:7000", "ho st:1",
        ])
    func `what is no endpoint is none`(_ text: String) {
        #expect(RedisEndpoint(text) == nil)
    }

    @Test func `an address is written as it is read`() {
        for text in ["host:1", "[fe80::1]:65535", "10.0.0.1:6379"] {
            #expect(RedisAddress(text)?.description == text)
        }
    }

    @Test func `errors of the server are told apart`() {
        let codes: [(String, RedisError.Code)] = [
            ("READONLY You can't write against a read only replica.", .notMaster),
            ("WRONGPASS invalid username-password pair or user is disabled.", .refused),
            ("NOAUTH Authentication required.", .refused),
            ("ERR AUTH <password> called without any password configured for the default user.", .refused),
            ("LOADING Redis is loading the dataset in memory", .unreachable),
            ("OOM command not allowed when used memory > 'maxmemory'.", .failed),
        ]
        for (answer, code) in codes {
            let error = RedisError(answer: answer)
            #expect(error.code == code)
            #expect(error.message.contains(answer))
        }
    }

    @Test func `pauses grow to a bound, with jitter`() {
        struct Highest: RandomNumberGenerator { mutating func next() -> UInt64 { .max } }
        var limits = RedisLimits()
        limits.firstPause = .milliseconds(10)
        limits.longestPause = .milliseconds(35)
        var pause = ReconnectPause(limits, Highest())
        let whole = (0..<4).map { _ in pause.next().milliseconds }
        #expect(whole == [10, 20, 35, 35])
        pause.reset()
        #expect(pause.next().milliseconds == 10)
    }
}
