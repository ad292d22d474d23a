/// How long a request may take, and how often and how soon it is made again: exponential back-off with full jitter.
///
/// The pause before attempt n + 1 is drawn evenly from 0 to `base * 2^(n-1)`, at most `cap` (M. Brooker, "Exponential
/// Backoff and Jitter", 2015): requests that failed together do not come back together.
public struct S3RetryPolicy: Hashable, Sendable {
    /// How often a request is made at most.
    public var attempts: Int
    /// The upper bound of the first pause.
    public var base: Duration
    /// The upper bound of any pause.
    public var cap: Duration
    /// How long one attempt may take, beside a second for each mebibyte that is sent or asked for.
    public var attemptTimeout: Duration
    /// No further attempt begins once this long has passed since the first.
    public var deadline: Duration

    /// Makes a policy of its bounds.
    public init(
        attempts: Int = 4, base: Duration = .milliseconds(100), cap: Duration = .seconds(2),
        attemptTimeout: Duration = .seconds(5), deadline: Duration = .seconds(15)
    ) {
        precondition(attempts >= 1, "a request has to be made")
        self.attempts = attempts
        self.base = base
        self.cap = cap
        self.attemptTimeout = attemptTimeout
        self.deadline = deadline
    }

    /// One attempt with an answer soon: to find out whether a region is back.
    static let probe = S3RetryPolicy(attempts: 1, attemptTimeout: .seconds(2), deadline: .seconds(2))

    /// How long one attempt that moves so many bytes may take.
    func timeout(moving bytes: Int) -> Duration { attemptTimeout + .milliseconds(bytes >> 10) }

    /// How long to wait before the next attempt.
    /// - Parameters:
    ///   - attempt: How many have been made.
    ///   - elapsed: The time since the first began.
    ///   - generator: Where the jitter comes from.
    /// - Returns: The pause; nil when it has been tried enough.
    func pause(
        after attempt: Int, elapsed: Duration, using generator: inout some RandomNumberGenerator
    ) -> Duration? {
        guard attempt < attempts else { return nil }
        let bound = min(cap, base * (1 << min(attempt - 1, 20)))
        let pause = bound * Double.random(in: 0...1, using: &generator)
        return elapsed + pause <= deadline ? pause : nil
    }
}
