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

    mutating func succeeded() {
        failures = 0
        openUntil = nil
        isProbing = false
    }

    mutating func failed(at now: Duration) {
        failures += 1
        isProbing = false
        if failures >= tolerance { openUntil = now + pause }
    }
}
