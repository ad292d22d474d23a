import CoreMetrics

/// What is counted of collections, under names that dashboards rely on.
struct CollectionMetrics: Sendable {
    /// Pages and blocks that were condemned.
    let condemned = Counter(label: "cairn_collection_condemned_total")
    /// Pages and blocks that the collector found named again.
    let rescued = Counter(label: "cairn_collection_rescued_total")
    /// Pages and blocks that were removed.
    let swept = Counter(label: "cairn_collection_swept_total")
    /// Packs whose blocks in use were copied.
    let compacted = Counter(label: "cairn_collection_packs_compacted_total")
    /// Bytes that were copied.
    let copied = Counter(label: "cairn_collection_copied_bytes_total")
    /// Bytes of packs that were removed.
    let freed = Counter(label: "cairn_collection_freed_bytes_total")
    /// Accounts that had to be passed over, and records that can't be read.
    let failures = Counter(label: "cairn_collection_failures_total")
    /// The bytes of all packs when a collection ended.
    let stored = Gauge(label: "cairn_collection_stored_bytes")
    /// The sealed bytes of all blocks when a collection ended.
    let live = Gauge(label: "cairn_collection_live_bytes")
    /// What was condemned and waited when a collection ended.
    let waiting = Gauge(label: "cairn_collection_waiting")

    /// Takes note of a collection.
    func ended(_ report: CollectionReport) {
        condemned.increment(by: report.condemned)
        rescued.increment(by: report.rescued)
        swept.increment(by: report.sweptPages + report.sweptBlocks)
        compacted.increment(by: report.packsCompacted)
        copied.increment(by: Int(clamping: report.bytesCopied))
        freed.increment(by: Int(clamping: report.bytesFreed))
        failures.increment(by: report.failures.count + report.damagedRecords)
        stored.record(Int64(clamping: report.storedBytes))
        live.record(Int64(clamping: report.liveBytes))
        waiting.record(Int64(clamping: report.waiting))
    }
}
