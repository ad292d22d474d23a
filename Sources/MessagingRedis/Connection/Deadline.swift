/// The moment at which waiting ends.
struct Deadline {
    private let end: ContinuousClock.Instant

    init(in duration: Duration) {
        end = ContinuousClock.now + duration
    }

    var left: Duration { max(.zero, ContinuousClock.now.duration(to: end)) }

    var isOver: Bool { left == .zero }

    /// What is left, rounded up, as `poll` takes it.
    var milliseconds: Int32 { left.milliseconds }
}

extension Duration {
    /// Whole milliseconds, rounded up.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
