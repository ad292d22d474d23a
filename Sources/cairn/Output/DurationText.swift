/// Durations for people.
enum DurationText {
    /// `0:07`, `12:30`, `1:02:03`.
    static func text(_ seconds: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (hours, rest) = seconds.quotientAndRemainder(dividingBy: 3600)
        return hours > 0 ? "\(hours):\(two(rest / 60)):\(two(rest % 60))" : "\(rest / 60):\(two(rest % 60))"
    }
}
