import CoreMetrics
import Synchronization

/// A number that grows.
final class PrometheusCounter: CounterHandler {
    private let number = Atomic<Int64>(0)

    var value: Double { Double(number.load(ordering: .relaxed)) }

    func increment(by amount: Int64) { number.add(amount, ordering: .relaxed) }

    func reset() { number.store(0, ordering: .relaxed) }
}

/// A number that goes up and down.
final class PrometheusGauge: RecorderHandler, MeterHandler {
    private let number = Mutex(0.0)

    var value: Double { number.withLock { $0 } }

    func record(_ value: Int64) { set(Double(value)) }

    func record(_ value: Double) { set(value) }

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { number.withLock { $0 = value } }

    func increment(by amount: Double) { number.withLock { $0 += amount } }

    func decrement(by amount: Double) { number.withLock { $0 -= amount } }
}

/// How values are spread over buckets.
final class PrometheusHistogram: RecorderHandler, TimerHandler {
    /// What a scrape reads of it.
    struct Snapshot {
        /// How many values are at most each bound, and how many there are in all.
        var cumulative: [(bound: Double, count: UInt64)]
        var count: UInt64
        var sum: Double
    }

    private struct State {
        var counts: [UInt64]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: [UInt64](repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    var snapshot: Snapshot {
        state.withLock { state in
            var total: UInt64 = 0
            let cumulative = zip(bounds, state.counts).map { bound, count in
                total += count
                return (bound, total)
            }
            return Snapshot(cumulative: cumulative, count: total + state.counts[bounds.count], sum: state.sum)
        }
    }
}
