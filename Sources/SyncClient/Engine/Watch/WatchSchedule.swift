import Model

/// Decides when a watched link is looked at, and how closely. A state machine without clock or I/O: times come in.
///
/// Causes gather until a pass begins: folders that changed here, news from the server, the periodic look at everything,
/// and failures, after which it waits longer and longer (with full jitter).
struct WatchSchedule {
    /// What made a pass due.
    private var folders: Set<LocalPath> = []
    private var isEverythingDue = false
    private var isNewsDue = false
    /// Whether the next pass has to make sure of the server's history: at first, and after failures.
    private var verifies = true
    private var isFirst = true
    private var failures = 0
    private var notBefore: Duration?
    /// When what waits for the server's archive is worth another try.
    private var retryAt: Duration?
    private var nextFull: Duration

    private static let longestWait = Duration.seconds(60)
    /// Events may be lost to the kernel's bounds, and some file systems have none: a look at everything finds the rest.
    static let fullPeriod = Duration.seconds(3600)

    init(now: Duration) {
        nextFull = now + Self.fullPeriod
    }

    /// Notes what the watcher saw. Its first batch says everything: by then every folder is watched.
    mutating func note(_ batch: WatchBatch) {
        if batch.isEverything {
            isEverythingDue = true
            isNewsDue = true
        }
        folders.formUnion(batch.folders)
    }

    /// Notes that the server has news.
    mutating func noteNews() { isNewsDue = true }

    /// Notes that the server could not be asked for news: afterwards its history is made sure of.
    mutating func noteLostServer() {
        isNewsDue = true
        verifies = true
    }

    /// When the next pass is due; nil when nothing but an event makes one due. `now` when it is due already.
    func due(now: Duration) -> Duration {
        let isDue = isEverythingDue || isNewsDue || !folders.isEmpty
        let cause = isDue ? now : min(nextFull, retryAt ?? nextFull)
        return max(cause, notBefore ?? now)
    }

    /// Begins a pass: what it is to do. What comes from now on is for the one after.
    mutating func begin(now: Duration) -> PassOptions {
        if now >= nextFull { isEverythingDue = true }
        let options = PassOptions(
            scope: isEverythingDue ? .full : .folders(folders), fetches: isNewsDue || isEverythingDue,
            verifiesHistory: verifies, recovers: isFirst || verifies)
        if isEverythingDue { nextFull = now + Self.fullPeriod }
        folders = []
        isEverythingDue = false
        isNewsDue = false
        retryAt = nil
        return options
    }

    /// Notes that a pass ended well, with folders that changed under it.
    mutating func noteSuccess(_ outcome: PassOutcome, now: Duration) {
        verifies = false
        isFirst = false
        failures = 0
        // A file that is being written to is looked at again shortly, not at once.
        notBefore = outcome.dirty.isEmpty ? nil : now + .seconds(1)
        folders.formUnion(outcome.dirty)
        retryAt = outcome.retryAfter.map { now + max(.seconds(1), $0) }
    }

    /// Notes that a pass failed: all it was to do is still to be done.
    mutating func noteFailure(
        _ options: PassOptions, now: Duration, using generator: inout some RandomNumberGenerator
    ) {
        failures += 1
        verifies = true
        isNewsDue = true
        if case .folders(let scope) = options.scope { folders.formUnion(scope) } else { isEverythingDue = true }
        let bound = min(Self.longestWait, .milliseconds(500 << min(failures, 16)))
        notBefore = now + bound * Double.random(in: 0.25...1, using: &generator)
    }

    /// Whether the server did not answer when last asked.
    var isFailing: Bool { failures > 0 }
}
