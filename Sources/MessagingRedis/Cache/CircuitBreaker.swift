/// Keeps calls from a service that does not answer: a state machine without clock. Times are durations since any fixed
/// moment.
///
/// After some failures in a row it opens: nothing is called until a pause is over. Then one probe is due, which nobody has
/// to wait for; its success closes it, its failure begins the pause anew.
struct CircuitBreaker {
    /// What may be done now.
    enum Word: Hashable {
        /// Calling.
        case call
        /// Nothing.
        case refrain
        /// Nothing but one probe, which is begun with this.
        case probe
    }

    private let tolerance: Int
    private let pause: Duration
    private var failures = 0
    private var openUntil: Duration?
    private var isProbing = false

    init(tolerance: Int, pause: Duration) {
        self.tolerance = tolerance
        self.pause = pause
    }

    var isOpen: Bool { openUntil != nil }

    mutating func ask(at now: Duration) -> Word {
        guard let openUntil else { return .call }
        guard openUntil <= now, !isProbing else { return .refrain }
        isProbing = true
        return .probe
    }

    /// Notes that a call or the probe was answered.
    /// - Returns: Whether it was open until then.
    @discardableResult
    mutating func succeeded() -> Bool {
        defer { openUntil = nil }
        failures = 0
        isProbing = false
        return isOpen
    }

    /// Notes that a call or the probe failed.
    /// - Returns: Whether it opened just now.
    @discardableResult
    mutating func failed(at now: Duration) -> Bool {
        let wasOpen = isOpen
        failures += 1
        isProbing = false
        if failures >= tolerance { openUntil = now + pause }
        return isOpen && !wasOpen
    }
}

/// What became of a Redis that can be done without.
public enum RedisAvailability: Hashable, Sendable {
    /// It answers again.
    case back
    /// It is left alone, for this reason, and tried from time to time. Told once, however often that fails.
    case away(String)
}
