import Testing

@testable import MessagingRedis

@Suite struct EndpointTests {
    @Test(
        arguments: ["", "host", "host:", ":6379", "host:0", "host:65536", "host:x", "::1:7000", "ho st:1", "[]:1"])
    func `what is no address is none`(_ text: String) {
        #expect(RedisAddress(text) == nil)
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
