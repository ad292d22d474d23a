/// How soon a region began its last answers.
struct LatencyRecord: Sendable {
    private static let capacity = 64
    /// As long as fewer than this were seen, nothing is concluded.
    private static let enough = 16

    private var last: [Duration] = []
    private var next = 0

    /// Takes one answer.
    mutating func add(_ latency: Duration) {
        if last.count < Self.capacity {
            last.append(latency)
        } else {
            last[next] = latency
        }
        next = (next + 1) % Self.capacity
    }

    /// The middle one of the last answers; nil when too few were seen.
    var median: Duration? { quantile(0.5) }

    /// What nineteen of twenty answers took at most; nil when too few were seen.
    var slow: Duration? { quantile(0.95) }

    private func quantile(_ fraction: Double) -> Duration? {
        guard last.count >= Self.enough else { return nil }
        let sorted = last.sorted()
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * fraction))]
    }
}
