/// How often and how soon a failed call is made again: exponential back-off with full jitter.
///
/// The delay before attempt n is drawn evenly from 0 to `base * 2^(n-1)`, at most `cap` (M. Brooker, "Exponential
/// Backoff and Jitter", 2015): callers that failed together do not come back together. A time that the server named
/// (`Retry-After`) is waited out first.
public struct RetryPolicy: Hashable, Sendable {
    /// How often a call is made at most.
    public var attempts: Int
    /// The upper bound of the first delay.
    public var base: Duration
    /// The upper bound of any delay that the server did not name.
    public var cap: Duration
    /// No further attempt begins once this long has passed since the first.
    public var deadline: Duration

    /// Makes a policy of its bounds.
    public init(attempts: Int, base: Duration, cap: Duration, deadline: Duration) {
        self.attempts = attempts
        self.base = base
        self.cap = cap
        self.deadline = deadline
    }

    /// For calls that somebody waits for: up to six attempts within 20 seconds.
    public static let standard = RetryPolicy(
        attempts: 6, base: .milliseconds(200), cap: .seconds(5), deadline: .seconds(20))

    /// For calls that have their own loop around them.
    public static let once = RetryPolicy(attempts: 1, base: .zero, cap: .zero, deadline: .zero)

    /// How long to wait before the next attempt.
    /// - Parameters:
    ///   - failure: What the attempt failed with.
    ///   - attempt: How many attempts have been made.
    ///   - elapsed: The time since the first began.
    ///   - generator: Where the jitter comes from.
    /// - Returns: The pause; nil when the failure stands.
    func delay(
        after failure: FailedAttempt, attempt: Int, elapsed: Duration, using generator: inout some RandomNumberGenerator
    ) -> Duration? {
        guard failure.error.isRetryable, attempt < attempts else { return nil }
        let bound = min(cap, base * (1 << min(attempt - 1, 20)))
        let jitter = bound * Double.random(in: 0...1, using: &generator)
        let delay = (failure.retryAfter ?? .zero) + jitter
        return elapsed + delay <= deadline ? delay : nil
    }
}
