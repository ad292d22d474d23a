/// One thing that happened to a node, as `GET /v1/history/{path}` shows it.
public struct VersionEntry: Codable, Hashable, Sendable {
    /// The revision that did it: it names the version.
    public var revision: UInt64
    /// What was done: `made`, `restored`, `edited`, `renamed`, `moved`, `mode`, `touched` or `deleted`.
    public var changes: [String]
    /// When, ISO 8601.
    public var time: String?
    /// The device that did it.
    public var device: String?
    /// What people call the device.
    public var deviceName: String?
    /// Bytes of a file; nil for anything else.
    public var size: UInt64?
    /// The entity tag of a file's content.
    public var etag: String?
    /// When the bytes were last written, ISO 8601.
    public var modified: String
    /// The permission bits in octal.
    public var mode: String
    /// Whether the bytes can be read.
    public var kept: Bool
    /// Whether that is how it is now.
    public var current: Bool
    /// Where it came to be, where that changed; for people.
    public var path: String?
    /// The same path, percent-encoded.
    public var href: String?
    /// The name that the version was pinned under.
    public var pin: String?

    private enum CodingKeys: String, CodingKey {
        case revision, changes, time, device, size, etag, modified, mode, kept, current, path, href, pin
        case deviceName = "device_name"
    }

    /// Makes it of its parts.
    public init(
        revision: UInt64, changes: [String], time: String? = nil, device: String? = nil, deviceName: String? = nil,
        size: UInt64? = nil, etag: String? = nil, modified: String, mode: String, kept: Bool, current: Bool,
        path: String? = nil, href: String? = nil, pin: String? = nil
    ) {
        self.revision = revision
        self.changes = changes
        self.time = time
        self.device = device
        self.deviceName = deviceName
        self.size = size
        self.etag = etag
        self.modified = modified
        self.mode = mode
        self.kept = kept
        self.current = current
        self.path = path
        self.href = href
        self.pin = pin
    }
}

/// What happened to one node that was at a path.
public struct NodeVersions: Codable, Hashable, Sendable {
    /// The node.
    public var node: String
    /// Where it is now; nil when it is gone.
    public var path: String?
    /// What happened, the newest first.
    public var entries: [VersionEntry]
    /// How many versions of the page are not shown since their bytes are not kept.
    public var hidden: Int
    /// Go on with `node` and this as `before`; nil at the end.
    public var next: UInt64?

    /// Makes it of its parts.
    public init(node: String, path: String? = nil, entries: [VersionEntry], hidden: Int, next: UInt64? = nil) {
        self.node = node
        self.path = path
        self.entries = entries
        self.hidden = hidden
        self.next = next
    }
}

/// The answer of `GET /v1/history/{path}`: who is at the path first, then who left it last.
public struct VersionListing: Codable, Hashable, Sendable {
    /// The path.
    public var path: String
    /// The nodes that are or were there.
    public var nodes: [NodeVersions]

    /// Makes it of its parts.
    public init(path: String, nodes: [NodeVersions]) {
        self.path = path
        self.nodes = nodes
    }
}

/// Something that is gone, as `GET /v1/deleted/{path}` shows it.
public struct DeletedEntry: Codable, Hashable, Sendable {
    /// Where it was at last; for people.
    public var path: String
    /// The exact path, percent-encoded.
    public var href: String
    /// `file`, `folder` or `symlink`.
    public var kind: String
    /// Bytes of a file; nil for anything else.
    public var size: UInt64?
    /// The node.
    public var node: String
    /// The revision that removed it.
    public var revision: UInt64
    /// When, ISO 8601.
    public var time: String?
    /// The device that removed it.
    public var device: String?
    /// What people call the device.
    public var deviceName: String?
    /// Whether the bytes can be read.
    public var kept: Bool

    private enum CodingKeys: String, CodingKey {
        case path, href, kind, size, node, revision, time, device, kept
        case deviceName = "device_name"
    }

    /// Makes it of its parts.
    public init(
        path: String, href: String, kind: String, size: UInt64? = nil, node: String, revision: UInt64,
        time: String? = nil, device: String? = nil, deviceName: String? = nil, kept: Bool
    ) {
        self.path = path
        self.href = href
        self.kind = kind
        self.size = size
        self.node = node
        self.revision = revision
        self.time = time
        self.device = device
        self.deviceName = deviceName
        self.kept = kept
    }
}

/// A page of what is gone, the newest removal first.
public struct DeletedListing: Codable, Hashable, Sendable {
    /// The folder.
    public var path: String
    /// What is gone.
    public var entries: [DeletedEntry]
    /// Go on with this as `after`; nil at the end. It may be there although the page is not full.
    public var next: String?

    /// Makes it of its parts.
    public init(path: String, entries: [DeletedEntry], next: String? = nil) {
        self.path = path
        self.entries = entries
        self.next = next
    }
}
