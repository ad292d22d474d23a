public import WireProtocol

/// Something that keeps a part of a folder from being in sync.
public struct WaitingItem: Codable, Hashable, Sendable {
    /// Where, below the linked folder.
    public var path: String
    /// The kind of problem, a stable name.
    public var code: String
    /// The problem in words.
    public var message: String
    /// Since when, ISO 8601.
    public var since: String?
}

/// A conflict that was resolved by keeping both versions.
public struct ConflictEntry: Codable, Hashable, Sendable {
    /// The path that both wanted.
    public var path: String
    /// Where the other version was kept.
    public var kept: String
    /// When, ISO 8601.
    public var time: String
}

/// What became of a pass over a folder.
public struct SyncResult: Codable, Hashable, Sendable {
    /// Whether folder and server are the same now.
    public var isInSync: Bool
    /// The namespace's revision that the folder is at.
    public var revision: UInt64
    /// What had to wait, and why.
    public var waiting: [WaitingItem]
    /// The conflicts of this pass.
    public var conflicts: [ConflictEntry]
    /// What was done.
    public var counts: PassCounts

    private enum CodingKeys: String, CodingKey {
        case revision, waiting, conflicts, counts
        case isInSync = "in_sync"
    }
}

/// One linked folder, as `status` shows it.
public struct LinkStatus: Codable, Hashable, Sendable {
    /// The folder.
    public var folder: String
    /// The folder on the server.
    public var remote: String
    /// Whether nothing waits, as far as is known without looking at the disk.
    public var isInSync: Bool
    /// The revision up to which the server's history was taken in.
    public var revision: UInt64
    /// The newest revision on the server; nil when it can't be asked.
    public var head: UInt64?
    /// Whether a process is at work on it.
    public var isBusy: Bool
    /// When the last pass ended, ISO 8601.
    public var lastPass: String?
    /// Why the folder as a whole stands still; nil when it does not.
    public var problem: String?
    /// Nodes that differ here from what was last agreed on.
    public var changesToSend: Int
    /// Nodes that differ on the server from what was last agreed on.
    public var changesToApply: Int
    /// What waits, and why.
    public var waiting: [WaitingItem]
    /// The newest conflicts.
    public var conflicts: [ConflictEntry]
    /// Files that other devices announced and have not finished.
    public var pending: [PendingEntry]

    private enum CodingKeys: String, CodingKey {
        case folder, remote, revision, head, problem, waiting, conflicts, pending
        case isInSync = "in_sync"
        case isBusy = "busy"
        case lastPass = "last_pass"
        case changesToSend = "changes_to_send"
        case changesToApply = "changes_to_apply"
    }
}

/// Everything that `status` shows.
public struct StatusReport: Codable, Hashable, Sendable {
    /// The server's address.
    public var server: String
    /// The account's name.
    public var account: String
    /// This device's name.
    public var device: String
    /// Why the server can't be asked; nil when it could.
    public var serverProblem: String?
    /// The linked folders.
    public var links: [LinkStatus]

    private enum CodingKeys: String, CodingKey {
        case server, account, device, links
        case serverProblem = "server_problem"
    }
}

/// What `stats` shows.
public struct StatsReport: Codable, Hashable, Sendable {
    /// The last pass.
    public var last: PassCounts
    /// All passes.
    public var total: PassCounts
}
