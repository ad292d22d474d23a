public import Metadata
public import Model

/// Values that tests use over and over.
public enum Fixture {
    /// A node by a small number.
    public static func node(_ number: UInt64) -> NodeID { NodeID(high: 0x0D0D, low: number) }

    /// An upload by a small number.
    public static func upload(_ number: UInt64) -> UploadID { UploadID(high: 0x0B0B, low: number) }

    /// A block by a small number.
    public static func block(_ number: UInt64) -> BlockID { BlockID(digest(number)) }

    /// A page by a small number.
    public static func page(_ number: UInt64) -> PageID { PageID(digest(number)) }

    /// A digest by a small number.
    public static func digest(_ number: UInt64) -> Digest { TestHash.digest([UInt8](bigEndian: number)) }

    /// A name; it must be one.
    public static func name(_ string: String) -> NodeName {
        do { return try NodeName(string) } catch { preconditionFailure("\(error)") }
    }

    /// The device that commits.
    public static let device = DeviceID(high: 0xDE, low: 1)
    /// The account that owns everything.
    public static let account = AccountID(high: 0xAC, low: 1)
    /// Its home.
    public static let namespace = NamespaceID(high: 0x5A, low: 1)
    /// When everything happens.
    public static let time = Timestamp(nanoseconds: 1_767_323_045_000_000_000)

    /// A folder.
    public static func folder(_ name: String, in parent: NodeID = .root) -> NodeState {
        NodeState(parent: parent, name: self.name(name), payload: .folder, mode: 0o755, modified: time)
    }

    /// A file with a content by a small number.
    public static func file(_ name: String, in parent: NodeID = .root, content: UInt64 = 1) -> NodeState {
        let content = Content(id: ContentID(level: UInt8(content % 3), digest: digest(content)), size: content &* 1000)
        return NodeState(parent: parent, name: self.name(name), payload: .file(content), mode: 0o644, modified: time)
    }

    /// A symbolic link.
    public static func symlink(_ name: String, in parent: NodeID = .root, to target: String) -> NodeState {
        NodeState(
            parent: parent, name: self.name(name), payload: .symlink(target: Array(target.utf8)), mode: 0o777,
            modified: time)
    }

    /// The account.
    public static func accountRecord(_ id: AccountID = account, name: String = "ada") -> AccountRecord {
        AccountRecord(
            id: id, name: name, passwordHash: "hash", masterKey: 1, wrappedKey: [1, 2, 3], home: namespace,
            created: time)
    }

    /// A device by a small number, with a token of its own.
    public static func deviceRecord(_ number: UInt64, account: AccountID = account) -> DeviceRecord {
        DeviceRecord(
            id: DeviceID(high: 0xDE, low: number), account: account, name: "device \(number)",
            tokenHash: digest(number), created: time.advanced(by: .seconds(Int64(number))))
    }

    /// A pending upload by a small number that expires a day after it was made.
    public static func uploadRecord(
        _ number: UInt64, changes: [UInt8]? = nil, items: [UploadItem] = [], state: UploadState = .pending
    ) -> UploadRecord {
        let created = time.advanced(by: .seconds(Int64(number)))
        return UploadRecord(
            id: upload(number), account: account, namespace: namespace, device: device, state: state,
            created: created, expires: created.advanced(by: .seconds(86_400)), items: items, changes: changes)
    }
}

extension MetadataDatabase {
    /// Adds the account of ``Fixture`` and its empty home.
    public func prepareHome() async throws {
        try await write { connection in
            try AccountQueries(connection).create(Fixture.accountRecord())
            try NamespaceQueries(connection).create(Fixture.namespace, owner: Fixture.account, at: Fixture.time)
        }
    }

    /// Commits changes to the home.
    @discardableResult
    public func commit(
        _ upload: UInt64, _ changes: [NodeChange], at time: Timestamp = Fixture.time
    ) async throws -> CommitOutcome {
        try await write { connection in
            try CommitQueries(connection).apply(
                CommitRequest(
                    namespace: Fixture.namespace, upload: Fixture.upload(upload), device: Fixture.device,
                    changes: changes),
                at: time, hash: TestHash.digest)
        }
    }

    /// The head of the home.
    public func homeHead() async throws -> Head? {
        try await read { try NamespaceQueries($0).head(of: Fixture.namespace) }
    }

    /// What is wrong with the history of the home.
    public func homeFaults() async throws -> [JournalFault] {
        try await read { try JournalVerification($0, Fixture.namespace, hash: TestHash.digest).faults() }
    }
}

extension NodeChange {
    /// A change of a node by a small number.
    public init(_ node: UInt64, base: UInt64 = 0, _ state: NodeState?) {
        self.init(node: Fixture.node(node), base: Revision(base), state: state)
    }
}

extension CommitOutcome {
    /// The revision that was made; nil when it was refused.
    public var revision: Revision? {
        if case .committed(let record) = self { record.head.revision } else { nil }
    }

    /// Why it was refused; empty when it was not.
    public var refusals: [Refusal] {
        if case .refused(let refusals) = self { refusals } else { [] }
    }
}
