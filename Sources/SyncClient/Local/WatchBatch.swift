import Model

/// What is to be scanned, gathered from the events of a short while.
struct WatchBatch: Hashable, Sendable {
    /// The folders whose entries changed.
    var folders: Set<LocalPath> = []
    /// Everything is to be scanned: at first, and when events were lost.
    var isEverything = false
    /// Why some folders are not watched, and only periodic scans see what changes there.
    var problem: Problem?

    /// More than this, and a scan of everything is cheaper.
    static let folderLimit = 5000

    var isEmpty: Bool { folders.isEmpty && !isEverything && problem == nil }

    var scope: ScanScope { isEverything ? .full : .folders(folders) }

    /// Adds what another batch has.
    mutating func merge(_ other: WatchBatch) {
        isEverything = isEverything || other.isEverything
        problem = other.problem ?? problem
        folders.formUnion(other.folders)
        if folders.count > Self.folderLimit { isEverything = true }
        if isEverything { folders = [] }
    }
}

/// When to hand out what has been gathered: once nothing came for a short while, or when the first has waited long
/// enough. Times are in nanoseconds by a clock that only moves on.
struct QuietPeriod {
    private let quiet: Int64
    private let longest: Int64
    private var first: Int64?
    private var last: Int64 = 0

    init(quiet: Duration = .milliseconds(20), longest: Duration = .milliseconds(200)) {
        self.quiet = quiet.nanoseconds
        self.longest = longest.nanoseconds
    }

    /// Notes that something came.
    mutating func note(at now: Int64) {
        if first == nil { first = now }
        last = now
    }

    /// When to hand it out; nil when there is nothing.
    var deadline: Int64? { first.map { min(last + quiet, $0 + longest) } }

    mutating func reset() { first = nil }
}

extension Duration {
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
