/// The body of `POST /v1/login`.
public struct LoginRequest: Codable, Hashable, Sendable {
    /// The account's name.
    public var account: String
    /// Its password.
    public var password: String
    /// What the device shall be called.
    public var device: String

    /// Makes a request of its parts.
    public init(account: String, password: String, device: String) {
        self.account = account
        self.password = password
        self.device = device
    }
}

/// The answer to a login: the token, shown once. Ids are 32 hexadecimal digits.
public struct LoginResponse: Codable, Hashable, Sendable {
    /// The bearer token of the device.
    public var token: String
    /// The account.
    public var accountID: String
    /// The device.
    public var deviceID: String
    /// The account's home namespace.
    public var namespaceID: String

    private enum CodingKeys: String, CodingKey {
        case token
        case accountID = "account_id"
        case deviceID = "device_id"
        case namespaceID = "namespace_id"
    }

    /// Makes an answer of its parts.
    public init(token: String, accountID: String, deviceID: String, namespaceID: String) {
        self.token = token
        self.accountID = accountID
        self.deviceID = deviceID
        self.namespaceID = namespaceID
    }
}

/// A device, as `GET /v1/devices` lists it and `GET /v1/session` names the caller's own.
public struct DeviceEntry: Codable, Hashable, Sendable {
    /// The device's id.
    public var id: String
    /// Its name.
    public var name: String
    /// When it logged in, ISO 8601.
    public var created: String
    /// When it was last heard of, ISO 8601.
    public var lastSeen: String?
    /// When it was revoked, ISO 8601; nil while it may be used.
    public var revoked: String?
    /// Whether it is the one that asks.
    public var current: Bool

    private enum CodingKeys: String, CodingKey {
        case id, name, created, revoked, current
        case lastSeen = "last_seen"
    }

    /// Makes an entry of its parts.
    public init(id: String, name: String, created: String, lastSeen: String?, revoked: String?, current: Bool) {
        self.id = id
        self.name = name
        self.created = created
        self.lastSeen = lastSeen
        self.revoked = revoked
        self.current = current
    }
}

/// One entry of a folder, as `GET /v1/list/{path}` shows it.
public struct FolderEntry: Codable, Hashable, Sendable {
    /// The name; bytes that are not UTF-8 are replaced (`path` in `href` is exact).
    public var name: String
    /// The exact path, percent-encoded.
    public var href: String
    /// `file`, `folder` or `symlink`.
    public var kind: String
    /// Bytes of a file; nil for anything else.
    public var size: UInt64?
    /// When its bytes were last written, ISO 8601.
    public var modified: String
    /// The permission bits in octal.
    public var mode: String
    /// The revision that gave it its state.
    public var revision: UInt64
    /// The entity tag of a file's content.
    public var etag: String?

    /// Makes an entry of its parts.
    public init(
        name: String, href: String, kind: String, size: UInt64?, modified: String, mode: String, revision: UInt64,
        etag: String?
    ) {
        self.name = name
        self.href = href
        self.kind = kind
        self.size = size
        self.modified = modified
        self.mode = mode
        self.revision = revision
        self.etag = etag
    }
}

/// A page of a folder.
public struct FolderListing: Codable, Hashable, Sendable {
    /// The folder's path.
    public var path: String
    /// The revision that was listed.
    public var revision: UInt64
    /// The entries by name.
    public var entries: [FolderEntry]
    /// The percent-encoded name after which the next page begins; nil at the end.
    public var next: String?

    /// Makes a page of its parts.
    public init(path: String, revision: UInt64, entries: [FolderEntry], next: String?) {
        self.path = path
        self.revision = revision
        self.entries = entries
        self.next = next
    }
}

/// The body of `POST /v1/move`; paths are percent-encoded.
public struct MoveRequest: Codable, Hashable, Sendable {
    /// Where the node is.
    public var from: String
    /// Where it shall be.
    public var to: String

    /// Makes a request of its parts.
    public init(from: String, to: String) {
        self.from = from
        self.to = to
    }
}

/// The answer to a change of one node by path.
public struct CommittedResponse: Codable, Hashable, Sendable {
    /// The namespace's revision that holds the change.
    public var revision: UInt64
    /// The entity tag of the file, where it is one.
    public var etag: String?

    /// Makes an answer of its parts.
    public init(revision: UInt64, etag: String? = nil) {
        self.revision = revision
        self.etag = etag
    }
}

/// A file that another device announced and has not finished.
public struct PendingEntry: Codable, Hashable, Sendable {
    /// The upload.
    public var upload: String
    /// The device that sends it.
    public var device: String
    /// The name of the file.
    public var name: String
    /// Its size in bytes, as announced.
    public var size: UInt64
    /// When it was announced, ISO 8601.
    public var since: String

    /// Makes an entry of its parts.
    public init(upload: String, device: String, name: String, size: UInt64, since: String) {
        self.upload = upload
        self.device = device
        self.name = name
        self.size = size
        self.since = since
    }
}
