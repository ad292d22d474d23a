public import CoreMetrics
import Synchronization

/// Counts for the whole process, shown in the text form of Prometheus (exposition format 0.0.4).
///
/// A metric keeps the kind that it was first made with; asking for the same name and labels again gives the same
/// series. There are at most ``maximumSeries``: what is asked for beyond that counts into the void.
public final class PrometheusRegistry: MetricsFactory {
    struct Key: Hashable {
        let name: String
        let labels: [Label]
    }

    struct Label: Hashable {
        let name: String
        let value: String
    }

    private struct State {
        var counters: [Key: PrometheusCounter] = [:]
        var gauges: [Key: PrometheusGauge] = [:]
        var histograms: [Key: PrometheusHistogram] = [:]

        var count: Int { counters.count + gauges.count + histograms.count }
    }

    /// The most series that are kept.
    public static let maximumSeries = 10_000

    /// The bounds of timers, in seconds.
    static let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600]
    /// The bounds of other distributions.
    static let sizes = [1, 16, 256, 4096, 65_536, 1_048_576, 16_777_216, 268_435_456].map(Double.init)

    private let state = Mutex(State())

    /// Makes an empty registry.
    public init() {}

    /// A counter.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, \.counters) { PrometheusCounter() }
    }

    /// A gauge.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, \.gauges) { PrometheusGauge() }
    }

    /// A histogram when values are to be aggregated, else a gauge.
    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else { return series(label, dimensions, \.gauges) { PrometheusGauge() } }
        return series(label, dimensions, \.histograms) { PrometheusHistogram(bounds: Self.sizes) }
    }

    /// A histogram of seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, \.histograms) { PrometheusHistogram(bounds: Self.seconds) }
    }

    /// Keeps the series: what a process counted stays counted.
    public func destroyCounter(_ handler: any CounterHandler) {}

    /// Keeps the series.
    public func destroyMeter(_ handler: any MeterHandler) {}

    /// Keeps the series.
    public func destroyRecorder(_ handler: any RecorderHandler) {}

    /// Keeps the series.
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// Everything that was counted, and `samples`, as text.
    public func text(with samples: [Sample] = []) -> String {
        let (counters, gauges, histograms) = state.withLock { ($0.counters, $0.gauges, $0.histograms) }
        var text = PrometheusText()
        for (key, counter) in counters { text.add(key, "counter", counter.value) }
        for (key, gauge) in gauges { text.add(key, "gauge", gauge.value) }
        for (key, histogram) in histograms { text.add(key, histogram.snapshot) }
        for sample in samples {
            let labels = sample.labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            text.add(Self.key(sample.name, labels), sample.kind.rawValue, sample.value)
        }
        return text.rendered
    }

    private func series<Handler: Sendable>(
        _ name: String, _ labels: [(String, String)], _ table: WritableKeyPath<State, [Key: Handler]>,
        _ make: () -> Handler
    ) -> Handler {
        let key = Self.key(name, labels)
        return state.withLock { state in
            if let handler = state[keyPath: table][key] { return handler }
            let handler = make()
            if state.count < Self.maximumSeries { state[keyPath: table][key] = handler }
            return handler
        }
    }

    private static func key(_ name: String, _ labels: [(String, String)]) -> Key {
        Key(name: name, labels: labels.map { Label(name: $0.0, value: $0.1) })
    }
}
