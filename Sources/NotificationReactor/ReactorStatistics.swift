import Synchronization

/// What a loop has done since it began, and how many connections it has.
struct LoopCounts: Hashable {
    var connections: UInt64 = 0
    var accepted: UInt64 = 0
    var parked: UInt64 = 0
    var answered: UInt64 = 0
    var unauthorized: UInt64 = 0
    var refused: UInt64 = 0
    var faults: UInt64 = 0
    var late: UInt64 = 0
    var evicted: UInt64 = 0

    /// The fields with the names that metrics have.
    static let fields: [(name: StaticString, field: any WritableKeyPath<LoopCounts, UInt64> & Sendable)] = [
        ("connections", \.connections), ("accepted_total", \.accepted), ("parked_total", \.parked),
        ("answered_total", \.answered), ("unauthorized_total", \.unauthorized), ("refused_total", \.refused),
        ("faults_total", \.faults), ("late_total", \.late), ("evicted_total", \.evicted),
    ]

    static func + (left: LoopCounts, right: LoopCounts) -> LoopCounts {
        var sum = left
        for (_, field) in fields { sum[keyPath: field] += right[keyPath: field] }
        return sum
    }
}

/// Where a loop leaves its counts, round by round, for who asks.
final class LoopRecord: Sendable {
    private let counts = Mutex(LoopCounts())

    /// What was left last.
    var last: LoopCounts { counts.withLock { $0 } }

    /// Leaves counts.
    func leave(_ counts: LoopCounts) { self.counts.withLock { $0 = counts } }
}
