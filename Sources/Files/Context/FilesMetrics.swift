import CoreMetrics

/// What the use cases count, under names that dashboards rely on.
struct FilesMetrics: Sendable {
    /// Blocks that were new to their account and are durable now.
    let blocksStored = Counter(label: "cairn_blocks_stored_total")
    /// Blocks that were sent although the account had them.
    let blocksDeduplicated = Counter(label: "cairn_blocks_deduplicated_total")
    /// Sealed bytes of the blocks stored.
    let bytesStored = Counter(label: "cairn_stored_bytes_total")
    /// Blocks that could not be read back.
    let blocksCorrupt = Counter(label: "cairn_blocks_corrupt_total")
    /// Commits applied.
    let commits = Counter(label: "cairn_commits_total")
    /// Commits refused.
    let refusals = Counter(label: "cairn_commits_refused_total")
    /// Uploads announced that could not commit at once.
    let pending = Counter(label: "cairn_uploads_pending_total")
    /// Uploads given up.
    let expired = Counter(label: "cairn_uploads_expired_total")
    /// Pending uploads that a newer one of their device replaced.
    let superseded = Counter(label: "cairn_uploads_superseded_total")
    /// Uploads that their device withdrew.
    let withdrawn = Counter(label: "cairn_uploads_withdrawn_total")
    /// What the collector did.
    let collection = CollectionMetrics()
    /// Logins that failed.
    let failedLogins = Counter(label: "cairn_logins_failed_total")

    /// Counts a group of blocks: those that are new with their sealed bytes, and those that the account had.
    func stored(_ new: Int, bytes: Int, known: Int) {
        blocksStored.increment(by: new)
        bytesStored.increment(by: bytes)
        blocksDeduplicated.increment(by: known)
    }
}
