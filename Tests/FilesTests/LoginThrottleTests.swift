import Files
import Testing

@Suite("The throttle of logins")
struct LoginThrottleTests {
    @Test("the first failures are free, then each doubles the wait up to a bound")
    func doubling() {
        var throttle = LoginThrottle()
        var waits: [Int64] = []
        var now: Int64 = 0
        for _ in 0..<18 {
            throttle.began(["ada"], now: now)
            let wait = throttle.wait(["ada"], now: now)
            waits.append(wait)
            now += wait
        }
        #expect(waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900])
    }

    @Test("the longest wait of all keys counts, and it runs down")
    func keys() {
        var throttle = LoginThrottle()
        for _ in 0..<7 { throttle.began(["ada"], now: 100) }
        #expect(throttle.wait(["ada", "10.0.0.1"], now: 100) == 4)
        #expect(throttle.wait(["10.0.0.1"], now: 100) == 0)
        #expect(throttle.wait(["ada"], now: 103) == 1)
        #expect(throttle.wait(["ada"], now: 104) == 0)
    }

    @Test("a success and a quiet hour start anew")
    func forgiving() {
        var throttle = LoginThrottle()
        for _ in 0..<6 { throttle.began(["ada", "bob"], now: 0) }
        throttle.succeeded(["ada"])
        #expect(throttle.wait(["ada"], now: 0) == 0)
        #expect(throttle.wait(["bob"], now: 0) == 2)
        throttle.began(["bob"], now: 5000)
        #expect(throttle.wait(["bob"], now: 5000) == 0)
    }

    @Test("attempts at the same time count before they have failed")
    func concurrent() {
        var throttle = LoginThrottle()
        for _ in 0..<5 { throttle.began(["ada"], now: 0) }
        #expect(throttle.wait(["ada"], now: 0) > 0)
    }

    @Test("the table stays bounded, and keeps who failed last")
    func bounded() {
        var throttle = LoginThrottle(capacity: 100)
        for number in 0..<1000 {
            for _ in 0..<6 { throttle.began(["address \(number)"], now: Int64(number)) }
        }
        let waiting = (0..<1000).filter { throttle.wait(["address \($0)"], now: Int64($0)) > 0 }
        #expect(waiting.count <= 100)
        #expect(waiting.last == 999)
    }
}
