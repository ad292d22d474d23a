/// The pauses between tries to reach a server: longer each time, and not the same for all who try.
///
/// The numbers come from a generator with a seed (Marsaglia's xorshift, 2003), so that a run can be repeated.
struct BackOff {
    private static let first = Duration.milliseconds(20)
    private static let longest = Duration.milliseconds(500)

    private var state: UInt64
    private var step = Self.first

    init(seed: UInt64) {
        state = seed | 1 << 63
    }

    /// The next pause: between half of the step and all of it.
    mutating func next() -> Duration {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        defer { step = min(step * 2, Self.longest) }
        return step / 2 + step / 2000 * Int(state % 1000)
    }

    /// Starts from the shortest pause again.
    mutating func reset() { step = Self.first }
}
