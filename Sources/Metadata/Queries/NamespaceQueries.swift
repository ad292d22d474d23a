public import Model

/// Reads and writes namespaces and their heads.
public struct NamespaceQueries {
    let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// Adds an empty namespace at revision 0.
    /// - Throws: ``MetadataError`` `alreadyExists` when the id is taken, `constraint` when there is no such account.
    public func create(_ id: NamespaceID, owner: AccountID, at time: Timestamp) throws {
        try connection.execute(
            "INSERT INTO namespace (id, owner, revision, hash, created) VALUES ($1, $2, 0, $3, $4)",
            [.id(id), .id(owner), .name(CommitHash.origin), .time(time)])
    }

    /// The newest revision of a namespace; nil when there is no such namespace.
    public func head(of id: NamespaceID) throws -> Head? {
        try connection.first("SELECT id, revision, hash FROM namespace WHERE id = $1", [.id(id)]).map(Self.head)
    }

    /// The newest revision of a namespace, whose row stays locked until the transaction ends: others that want to
    /// commit to it wait. Nil when there is no such namespace.
    public func lockHead(of id: NamespaceID) throws -> Head? {
        try connection.first(
            "SELECT id, revision, hash FROM namespace WHERE id = $1\(connection.dialect.forUpdate)", [.id(id)]
        ).map(Self.head)
    }

    /// The heads of all namespaces that an account sees, by namespace.
    public func heads(of account: AccountID) throws -> [Head] {
        try connection.query(
            "SELECT id, revision, hash FROM namespace WHERE owner = $1 ORDER BY id", [.id(account)]
        ).map(Self.head)
    }

    /// All namespaces that an account sees, ordered.
    public func all(visibleTo account: AccountID) throws -> [NamespaceID] {
        try connection.query("SELECT id FROM namespace WHERE owner = $1 ORDER BY id", [.id(account)]).map {
            try $0.id(0)
        }
    }

    /// The account that owns a namespace, and so the blocks of its files; nil when there is no such namespace.
    public func owner(of id: NamespaceID) throws -> AccountID? {
        try connection.first("SELECT owner FROM namespace WHERE id = $1", [.id(id)]).map { try $0.id(0) }
    }

    /// Makes a commit the newest one.
    func raise(to head: Head) throws {
        let changed = try connection.execute(
            "UPDATE namespace SET revision = $1, hash = $2 WHERE id = $3 AND revision = $1 - 1",
            [try .revision(head.revision), .name(head.hash), .id(head.namespace)])
        if changed != 1 {
            throw MetadataError(.corrupt, "the head of namespace \(head.namespace) is not one before \(head.revision)")
        }
    }

    private static func head(_ row: SQLRow) throws -> Head {
        Head(namespace: try row.id(0), revision: try row.revision(1), hash: try row.name(2))
    }
}
