import Model

/// Decides when a watched link is looked at, and how closely. A state machine without clock or I/O: times come in.
///
/// Causes gather until a pass begins: folders that changed here, news from the server, the periodic look at everything,
/// and failures, after which it waits longer and longer (with full jitter).
struct WatchSchedule {
    /// What made a pass due.
    private var folders: Set<LocalPath> = []
    /// Folders with files that were being written to when they were looked at, and when they are looked at again.
    private var restless: Set<LocalPath> = []
    private var restlessDue: Duration?
    private var restlessRounds = 0
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
    /// The pause before a restless folder is looked at again: most files are written in one go. It doubles up to a bound.
    private static let firstRest = Duration.milliseconds(50)
    private static let longestRest = Duration.seconds(1)
    /// Events may be lost to the kernel's bounds, and some file systems have none: a look at everything finds the rest.
    static let fullPeriod = Duration.seconds(3600)

    /// When an account is full, nothing tells when there is room again: it is tried now and then.
    static let fullAccountPeriod = Duration.seconds(600)

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
        let cause = isDue ? now : [restlessDue, retryAt].reduce(nextFull) { min($0, $1 ?? $0) }
        return max(cause, notBefore ?? now)
    }

    /// Begins a pass: what it is to do. What comes from now on is for the one after.
    mutating func begin(now: Duration) -> PassOptions {
        if now >= nextFull { isEverythingDue = true }
        if isEverythingDue || restlessDue.map({ now >= $0 }) ?? false { takeRestless() }
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
        notBefore = nil
        retryAt = outcome.retryAfter.map { now + max(.seconds(1), $0) }
        if outcome.problems.contains(where: { $0.code == .overQuota }) {
            nextFull = min(nextFull, now + Self.fullAccountPeriod)
        }
        guard !outcome.dirty.isEmpty else {
            if restless.isEmpty { restlessRounds = 0 }
            return
        }
        // A file that is being written to is looked at again shortly, not at once; nothing else waits for it.
        restless.formUnion(outcome.dirty)
        restlessDue = now + min(Self.longestRest, Self.firstRest * (1 << min(restlessRounds, 10)))
        restlessRounds += 1
    }

    private mutating func takeRestless() {
        folders.formUnion(restless)
        restless = []
        restlessDue = nil
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
