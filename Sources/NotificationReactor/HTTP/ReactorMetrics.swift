import Notifications

/// The text that `/metrics` answers with, in the exposition format of Prometheus.
enum ReactorMetrics {
    /// The counts of all loops and of the desk.
    static func text(_ counts: LoopCounts, desk: PollStatistics) -> String {
        var text = ""
        func add(_ name: String, _ value: UInt64) {
            let kind = name.hasSuffix("_total") ? "counter" : "gauge"
            text += "# TYPE \(name) \(kind)\n\(name) \(value)\n"
        }
        for (name, field) in LoopCounts.fields { add("cairn_reactor_\(name)", counts[keyPath: field]) }
        add("cairn_polls_parked", UInt64(desk.parked))
        add("cairn_polls_namespaces", UInt64(desk.namespaces))
        add("cairn_polls_unread", UInt64(desk.unread))
        add("cairn_polls_bytes", UInt64(desk.bytes))
        add("cairn_polls_admitted_total", desk.admitted)
        add("cairn_polls_refused_total", desk.refused)
        add("cairn_polls_heads_read_total", desk.headsRead)
        add("cairn_polls_failed_reads_total", desk.failedReads)
        add("cairn_polls_gaps_total", desk.gaps)
        return text
    }
}
