import CoreMetrics
import Testing

@testable import HTTPAPI

@Suite("The registry of metrics")
struct PrometheusTests {
    @Test("series of one metric stand together, in a stable order, with escaped labels")
    func text() {
        let registry = PrometheusRegistry()
        registry.makeCounter(label: "b_total", dimensions: [("path", "a\"b\\c\nd")]).increment(by: 2)
        registry.makeCounter(label: "b_total", dimensions: [("path", "a")]).increment(by: 1)
        registry.makeMeter(label: "a gauge", dimensions: []).set(1.5)
        #expect(
            registry.text(with: [Sample("c", .gauge, labels: ["x": "1", "a": "2"], 7)]) == """
                # TYPE a_gauge gauge
                a_gauge 1.5
                # TYPE b_total counter
                b_total{path="a"} 1
                b_total{path="a\\"b\\\\c\\nd"} 2
                # TYPE c gauge
                c{a="2",x="1"} 7

                """)
    }

    @Test("the same name and labels are the same series")
    func same() {
        let registry = PrometheusRegistry()
        for _ in 0..<3 { registry.makeCounter(label: "n", dimensions: [("a", "b")]).increment(by: 1) }
        registry.makeCounter(label: "n", dimensions: [("a", "c")]).increment(by: 1)
        #expect(registry.text().contains("n{a=\"b\"} 3\n"))
        #expect(registry.text().contains("n{a=\"c\"} 1\n"))
        registry.makeCounter(label: "n", dimensions: [("a", "b")]).reset()
        #expect(registry.text().contains("n{a=\"b\"} 0\n"))
    }

    @Test("timers are histograms of seconds, whose buckets add up")
    func timers() {
        let registry = PrometheusRegistry()
        let timer = registry.makeTimer(label: "t_seconds", dimensions: [("route", "r")])
        timer.recordNanoseconds(3_000_000)
        timer.recordNanoseconds(2_000_000_000)
        timer.recordNanoseconds(3_600_000_000_000)
        let text = registry.text()
        #expect(text.contains("t_seconds_bucket{route=\"r\",le=\"0.0025\"} 0\n"))
        #expect(text.contains("t_seconds_bucket{route=\"r\",le=\"0.005\"} 1\n"))
        #expect(text.contains("t_seconds_bucket{route=\"r\",le=\"2.5\"} 2\n"))
        #expect(text.contains("t_seconds_bucket{route=\"r\",le=\"600\"} 2\n"))
        #expect(text.contains("t_seconds_bucket{route=\"r\",le=\"+Inf\"} 3\n"))
        #expect(text.contains("t_seconds_sum{route=\"r\"} 3602.003\n"))
        #expect(text.contains("t_seconds_count{route=\"r\"} 3\n"))
    }

    @Test("recorders aggregate when they are asked to")
    func recorders() {
        let registry = PrometheusRegistry()
        registry.makeRecorder(label: "sizes", dimensions: [], aggregate: true).record(Int64(300))
        let gauge = registry.makeRecorder(label: "level", dimensions: [], aggregate: false)
        gauge.record(1.0)
        gauge.record(Int64(4))
        #expect(registry.text().contains("sizes_bucket{le=\"4096\"} 1\n"))
        #expect(registry.text().contains("level 4\n"))
        let meter = registry.makeMeter(label: "m", dimensions: [])
        meter.set(Int64(5))
        meter.increment(by: 2)
        meter.decrement(by: 3)
        #expect(registry.text().contains("m 4\n"))
    }

    @Test("the number of series is bounded, so that labels can't eat the memory")
    func bounded() {
        let registry = PrometheusRegistry()
        for number in 0..<PrometheusRegistry.maximumSeries + 50 {
            registry.makeCounter(label: "n", dimensions: [("a", "\(number)")]).increment(by: 1)
        }
        #expect(registry.text().split(separator: "\n").count == PrometheusRegistry.maximumSeries + 1)
    }
}
