/// The body of `POST /v1/restore`; paths are percent-encoded.
public struct RestoreRequest: Codable, Hashable, Sendable {
    /// What to restore.
    public var path: String
    /// A revision or a moment (RFC 3339); nil for what it was when it was removed.
    public var at: String?
    /// Where it goes instead.
    public var to: String?
    /// Whether nothing is changed.
    public var dryRun: Bool?

    private enum CodingKeys: String, CodingKey {
        case path, at, to
        case dryRun = "dry_run"
    }

    /// Makes it of its parts.
    public init(path: String, at: String? = nil, to: String? = nil, dryRun: Bool? = nil) {
        self.path = path
        self.at = at
        self.to = to
        self.dryRun = dryRun
    }
}

/// The body of `POST /v1/rewind`; the path is percent-encoded.
public struct RewindRequest: Codable, Hashable, Sendable {
    /// What to rewind; `/` for everything.
    public var path: String
    /// A revision or a moment (RFC 3339).
    public var at: String
    /// Whether nothing is changed.
    public var dryRun: Bool?

    private enum CodingKeys: String, CodingKey {
        case path, at
        case dryRun = "dry_run"
    }

    /// Makes it of its parts.
    public init(path: String, at: String, dryRun: Bool? = nil) {
        self.path = path
        self.at = at
        self.dryRun = dryRun
    }
}

/// The body of `POST /v1/undo`; the path is percent-encoded.
public struct UndoRequest: Codable, Hashable, Sendable {
    /// The id of the device, or its name.
    public var device: String
    /// From when on, RFC 3339.
    public var since: String
    /// Until when, RFC 3339; nil for the present.
    public var until: String?
    /// Below which path; nil for everything.
    public var path: String?
    /// Whether nothing is changed.
    public var dryRun: Bool?

    private enum CodingKeys: String, CodingKey {
        case device, since, until, path
        case dryRun = "dry_run"
    }

    /// Makes it of its parts.
    public init(device: String, since: String, until: String? = nil, path: String? = nil, dryRun: Bool? = nil) {
        self.device = device
        self.since = since
        self.until = until
        self.path = path
        self.dryRun = dryRun
    }
}

/// What is done to one node.
public struct HistoryChangeEntry: Codable, Hashable, Sendable {
    /// Where it is, or was at last.
    public var path: String
    /// `restored`, `reverted`, `moved`, `removed` or `made`.
    public var kind: String
    /// Where it comes to be, when that is another place.
    public var to: String?

    /// Makes it of its parts.
    public init(path: String, kind: String, to: String? = nil) {
        self.path = path
        self.kind = kind
        self.to = to
    }
}

/// A node that is left as it is although it was meant.
public struct LeftEntry: Codable, Hashable, Sendable {
    /// Where it is, or was at last.
    public var path: String
    /// Why: `not_kept`, `name_taken`, `folder_missing`, `folder_not_empty`, `cycle`, `changed_later` or `moved_away`.
    public var reason: String
    /// Why, for people.
    public var detail: String

    /// Makes it of its parts.
    public init(path: String, reason: String, detail: String) {
        self.path = path
        self.reason = reason
        self.detail = detail
    }
}

/// The answer to a restore, a rewind or an undo.
public struct HistoryAnswer: Codable, Hashable, Sendable {
    /// The namespace's revision after it.
    public var revision: UInt64
    /// The revision whose state is brought back; nil for an undo.
    public var source: UInt64?
    /// Whether nothing was changed.
    public var dryRun: Bool
    /// In how many commits it was done, or would be; 0 when there was nothing to do.
    public var commits: Int
    /// How many nodes are changed.
    public var changed: Int
    /// What is done to them: the first thousand.
    public var changes: [HistoryChangeEntry]
    /// How many nodes are left as they are.
    public var leftCount: Int
    /// Those: the first thousand.
    public var left: [LeftEntry]

    private enum CodingKeys: String, CodingKey {
        case revision, source, commits, changed, changes, left
        case dryRun = "dry_run"
        case leftCount = "left_count"
    }

    /// Makes it of its parts.
    public init(
        revision: UInt64, source: UInt64? = nil, dryRun: Bool, commits: Int, changed: Int,
        changes: [HistoryChangeEntry], leftCount: Int, left: [LeftEntry]
    ) {
        self.revision = revision
        self.source = source
        self.dryRun = dryRun
        self.commits = commits
        self.changed = changed
        self.changes = changes
        self.leftCount = leftCount
        self.left = left
    }
}

/// The body of `PUT /v1/pins/{path}`.
public struct PinRequest: Codable, Hashable, Sendable {
    /// What the version is called.
    public var name: String

    /// Makes it of its parts.
    public init(name: String) {
        self.name = name
    }
}

/// A pinned version.
public struct PinEntry: Codable, Hashable, Sendable {
    /// The node.
    public var node: String
    /// The revision that made the version.
    public var revision: UInt64
    /// What it is called.
    public var name: String
    /// When it was pinned, ISO 8601.
    public var created: String

    /// Makes it of its parts.
    public init(node: String, revision: UInt64, name: String, created: String) {
        self.node = node
        self.revision = revision
        self.name = name
        self.created = created
    }
}

/// The answer to `DELETE /v1/pins/{path}`.
public struct UnpinnedResponse: Codable, Hashable, Sendable {
    /// How many pins were taken off.
    public var removed: Int

    /// Makes it of its parts.
    public init(removed: Int) {
        self.removed = removed
    }
}
