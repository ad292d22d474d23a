/// Whether a region is worth a request: a circuit breaker as a pure state machine.
///
/// After a few failures in a row the region is down: requests fail at once. From time to time one caller is let through
/// to look whether it is back.
struct RegionHealth: Sendable {
    /// What a caller may do.
    enum Admission: Hashable, Sendable {
        case pass
        /// Look first whether the region is back; nobody else does meanwhile.
        case probe
        case refuse
    }

    /// So many failures in a row, each after its retries, make a region down.
    static let failuresUntilDown = 2
    static let firstPause = Duration.seconds(1)
    static let longestPause = Duration.seconds(30)

    private var failures = 0
    private var pause = Self.firstPause
    /// When the next look is due; nil while the region is up.
    private var nextProbe: ContinuousClock.Instant?
    private var isProbing = false

    /// Whether requests fail at once.
    var isDown: Bool { nextProbe != nil }

    /// Asks whether to make a request.
    mutating func admit(at now: ContinuousClock.Instant) -> Admission {
        guard let nextProbe else { return .pass }
        if isProbing || now < nextProbe { return .refuse }
        isProbing = true
        return .probe
    }

    /// Takes the right to look without waiting until it is due; false when somebody has it.
    mutating func beginProbe() -> Bool {
        guard isDown, !isProbing else { return false }
        isProbing = true
        return true
    }

    /// A request, or the look, has got an answer.
    mutating func succeeded() { self = RegionHealth() }

    /// A request has failed in a way that speaks against the region.
    mutating func failed(at now: ContinuousClock.Instant) {
        failures += 1
        if nextProbe == nil, failures >= Self.failuresUntilDown { nextProbe = now + pause }
    }

    /// The look has failed, or was cut short.
    mutating func probeFailed(at now: ContinuousClock.Instant) {
        isProbing = false
        nextProbe = now + pause
        pause = min(pause * 2, Self.longestPause)
    }
}
