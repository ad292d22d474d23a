import Model

/// Which part of the linked folder to look at.
enum ScanScope: Hashable, Sendable {
    /// All of it.
    case full
    /// These folders, below the linked one: their entries, and what is new or was moved there with all that is in it.
    case folders(Set<LocalPath>)
}

/// What a scan has seen. What changed is in the local overlay.
struct ScanReport: Hashable, Sendable {
    /// How many entries were looked at.
    var entries = 0
    /// How many of them were new, changed, moved or gone.
    var changes = 0
    /// What could not be looked at. Nothing below such a folder counts as removed.
    var problems: [Problem] = []
    /// Sockets, pipes and devices: they are not synced. At most ``skippedLimit`` of them.
    var skipped: [LocalPath] = []
    /// How many sockets, pipes and devices there were.
    var skippedCount = 0
    /// Folders that changed under the scan: to be scanned again.
    var unsettled: Set<LocalPath> = []

    static let skippedLimit = 100
}
