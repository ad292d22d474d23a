/// Puts series into the text form: each metric with its kind, then its series, both in a stable order.
struct PrometheusText {
    private struct Metric {
        var kind: String
        var lines: [String] = []
    }

    private var metrics: [String: Metric] = [:]

    mutating func add(_ key: PrometheusRegistry.Key, _ kind: String, _ value: Double) {
        let name = Self.name(key.name)
        metrics[name, default: Metric(kind: kind)].lines.append(
            "\(name)\(Self.labels(key.labels)) \(Self.number(value))")
    }

    mutating func add(_ key: PrometheusRegistry.Key, _ histogram: PrometheusHistogram.Snapshot) {
        let name = Self.name(key.name)
        var lines = histogram.cumulative.map { bound, count in
            "\(name)_bucket\(Self.labels(key.labels, bound: Self.number(bound))) \(count)"
        }
        lines.append("\(name)_bucket\(Self.labels(key.labels, bound: "+Inf")) \(histogram.count)")
        lines.append("\(name)_sum\(Self.labels(key.labels)) \(Self.number(histogram.sum))")
        lines.append("\(name)_count\(Self.labels(key.labels)) \(histogram.count)")
        // One element, so that sorting keeps the buckets of a series together and in order.
        metrics[name, default: Metric(kind: "histogram")].lines.append(lines.joined(separator: "\n"))
    }

    var rendered: String {
        var text = ""
        for (name, metric) in metrics.sorted(by: { $0.key < $1.key }) {
            text += "# TYPE \(name) \(metric.kind)\n"
            for line in metric.lines.sorted() { text += line + "\n" }
        }
        return text
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }

    /// Only letters, digits, `_` and `:` may be in a name.
    private static func name(_ name: String) -> String {
        String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") ? $0 : "_" })
    }

    private static func labels(_ labels: [PrometheusRegistry.Label], bound: String? = nil) -> String {
        var parts = labels.map { "\(name($0.name))=\"\(escaped($0.value))\"" }
        if let bound { parts.append("le=\"\(bound)\"") }
        return parts.isEmpty ? "" : "{" + parts.joined(separator: ",") + "}"
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }
}
