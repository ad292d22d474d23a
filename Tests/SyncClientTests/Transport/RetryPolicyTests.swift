import TestSupport
import Testing

@testable import SyncClient

@Suite("Retries")
struct RetryPolicyTests {
    private let policy = RetryPolicy(
        attempts: 5, base: .milliseconds(100), cap: .seconds(1), deadline: .seconds(10))

    private func delay(
        _ code: ClientError.Code = .unreachable, attempt: Int, elapsed: Duration = .zero, retryAfter: Duration? = nil,
        seed: UInt64 = 1
    ) -> Duration? {
        var generator = SeededGenerator(seed: seed)
        return policy.delay(
            after: FailedAttempt(ClientError(code, "failed"), retryAfter: retryAfter), attempt: attempt,
            elapsed: elapsed, using: &generator)
    }

    @Test("the pause is drawn from zero to a bound that doubles, and never above the cap", arguments: 1...4)
    func bounds(attempt: Int) throws {
        let delays = try (1...200).map { try #require(delay(attempt: attempt, seed: $0)) }
        let bound = min(Duration.seconds(1), .milliseconds(100 << (attempt - 1)))
        #expect(delays.allSatisfy { $0 >= .zero && $0 <= bound })
        #expect(try #require(delays.max()) > bound * 0.9)
        #expect(try #require(delays.min()) < bound * 0.1)
    }

    @Test("attempts and the deadline bound it")
    func ends() {
        #expect(delay(attempt: 5) == nil)
        #expect(delay(attempt: 1, elapsed: .seconds(10)) == nil)
    }

    @Test("a time that the server named is waited out first, unless it is beyond the deadline")
    func named() throws {
        #expect(try #require(delay(.unavailable, attempt: 1, retryAfter: .seconds(3))) >= .seconds(3))
        #expect(delay(.unavailable, attempt: 1, retryAfter: .seconds(30)) == nil)
    }

    @Test(
        "what can't get better is not tried again",
        arguments: [ClientError.Code.unauthorized, .conflict, .rejected, .protocolViolation, .untrusted, .serverFull])
    func final(code: ClientError.Code) {
        #expect(delay(code, attempt: 1) == nil)
    }
}
