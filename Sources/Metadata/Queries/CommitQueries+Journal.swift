public import Model

/// A commit with the hash of what it did.
struct JournalEntry {
    let record: CommitRecord
    let digest: Digest
}

extension CommitQueries {
    /// What became of an upload; nil when it was neither committed nor refused.
    public func outcome(of upload: UploadID, in namespace: NamespaceID) throws -> CommitOutcome? {
        let key: [SQLValue] = [.id(namespace), .id(upload)]
        let row = try connection.first(
            "SELECT \(Self.columns) FROM journal WHERE namespace = $1 AND upload = $2", key)
        if let row { return .committed(try Self.entry(row, namespace).record) }
        let refusal = try connection.first("SELECT refusals FROM refusal WHERE namespace = $1 AND upload = $2", key)
        return try refusal.map { .refused(try RefusalFormat.decode(try $0.blob(0))) }
    }

    /// The commit that made a revision; nil when there is none.
    public func commit(_ revision: Revision, in namespace: NamespaceID) throws -> CommitRecord? {
        let row = try connection.first(
            "SELECT \(Self.columns) FROM journal WHERE namespace = $1 AND revision = $2",
            [.id(namespace), try .revision(revision)])
        return try row.map { try Self.entry($0, namespace).record }
    }

    /// The commits of a namespace from a revision on, in order, at most `limit` of them.
    public func commits(in namespace: NamespaceID, from revision: Revision, limit: Int) throws -> [CommitRecord] {
        try journal(in: namespace, from: revision, limit: limit).map(\.record)
    }

    /// What the commit that made a revision did, by node: the states it gave, and nil for what it removed.
    /// - Complexity: O(changes of the commit).
    public func changes(
        of revision: Revision, in namespace: NamespaceID
    ) throws -> [(node: NodeID, state: NodeState?)] {
        try connection.query(
            """
            SELECT \(NodeRow.columns) FROM node WHERE namespace = $1 AND valid_from = $2
            UNION ALL
            SELECT node, valid_to, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM node AS gone
            WHERE namespace = $1 AND valid_to = $2
                AND NOT EXISTS (
                    SELECT 1 FROM node AS later
                    WHERE later.namespace = $1 AND later.node = gone.node AND later.valid_from = $2)
            """,
            [.id(namespace), try .revision(revision)]
        ).map { (node: try $0.id(0), state: $0.isNull(4) ? nil : try NodeRow.state($0)) }
            // Asked for the order, SQLite would go through the whole tree by its primary key.
            .sorted { $0.node < $1.node }
    }

    /// The commits from a revision on, each with the hash of what it did.
    func journal(in namespace: NamespaceID, from revision: Revision, limit: Int) throws -> [JournalEntry] {
        try connection.query(
            """
            SELECT \(Self.columns) FROM journal WHERE namespace = $1 AND revision >= $2 ORDER BY revision LIMIT $3
            """,
            [.id(namespace), try .revision(revision), .integer(Int64(limit))]
        ).map { try Self.entry($0, namespace) }
    }

    /// Adds a commit to the journal.
    func record(_ entry: JournalEntry) throws {
        let record = entry.record
        try connection.execute(
            """
            INSERT INTO journal (namespace, revision, hash, device, upload, time, changes, digest)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                .id(record.head.namespace), try .revision(record.head.revision), .name(record.head.hash),
                .id(record.device), .id(record.upload), .time(record.time), .integer(Int64(record.changeCount)),
                .digest(entry.digest),
            ])
    }

    static let columns = "revision, hash, device, upload, time, changes, digest"

    static func entry(_ row: SQLRow, _ namespace: NamespaceID) throws -> JournalEntry {
        let head = Head(namespace: namespace, revision: try row.revision(0), hash: try row.name(1))
        let record = CommitRecord(
            head: head, device: try row.id(2), upload: try row.id(3), time: try row.time(4),
            changeCount: try row.number(5))
        return JournalEntry(record: record, digest: try row.digest(6))
    }
}
