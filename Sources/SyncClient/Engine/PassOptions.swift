import Model

/// What a pass is to do.
struct PassOptions: Sendable {
    /// Which part of the folder to look at.
    var scope = ScanScope.full
    /// Whether to ask the server for news first; a pass that only sends may leave that to the server's refusal.
    var fetches = true
    /// Whether to make sure first that the server has the history that was seen.
    var verifiesHistory = true
    /// Whether to clear up after a run that may have been killed.
    var recovers = true
    /// Whether the user has confirmed that very much is to be deleted.
    var confirmsDeletions = false
}

/// What came of a pass.
struct PassOutcome: Sendable {
    /// What waits, and why; none when folder and server are the same.
    var problems: [Problem] = []
    var conflicts: [StoredConflict] = []
    /// Folders that changed under the pass and have to be looked at again.
    var dirty: Set<LocalPath> = []
    /// When another pass is worth while though nothing has changed; nil when that is not known.
    var retryAfter: Duration?
    /// The namespace's revision that was reached.
    var revision = Revision.zero
}
