public import Model

extension CommitQueries {
    /// The commits that made some revisions. Those that are none are left out.
    public func commits(of revisions: [Revision], in namespace: NamespaceID) throws -> [Revision: CommitRecord] {
        var found: [Revision: CommitRecord] = [:]
        try ChunkedList.forEach(revisions) { chunk in
            let list = ChunkedList.parameters(from: 2, count: chunk.count)
            for row in try connection.query(
                "SELECT \(Self.columns) FROM journal WHERE namespace = $1 AND revision IN (\(list))",
                [.id(namespace)] + chunk.map { try .revision($0) })
            {
                let record = try Self.entry(row, namespace).record
                found[record.head.revision] = record
            }
        }
        return found
    }

    /// The last revision that was there at a moment: 0 before the first commit.
    ///
    /// It is by the times that the server noted. Where its clock was set back, commits count in the order of their times.
    /// - Complexity: O(log revisions).
    public func revision(at time: Timestamp, in namespace: NamespaceID) throws -> Revision {
        // A clock that was wrong for a while must not hide what came after: the head is looked at first.
        let head = try connection.first(
            "SELECT revision, time FROM journal WHERE namespace = $1 ORDER BY revision DESC LIMIT 1", [.id(namespace)])
        if let head, try head.time(1) <= time { return try head.revision(0) }
        return try connection.first(
            """
            SELECT revision FROM journal WHERE namespace = $1 AND time <= $2
            ORDER BY time DESC, revision DESC LIMIT 1
            """,
            [.id(namespace), .time(time)]
        ).map { try $0.revision(0) } ?? .zero
    }

    /// The revisions that a device made from one moment to another, both included, in order.
    /// - Complexity: O(commits in between).
    public func revisions(
        by device: DeviceID, from: Timestamp, until: Timestamp, in namespace: NamespaceID
    ) throws -> [Revision] {
        try connection.query(
            "SELECT revision FROM journal WHERE namespace = $1 AND time >= $2 AND time <= $3 AND device = $4",
            [.id(namespace), .time(from), .time(until), .id(device)]
        ).map { try $0.revision(0) }.sorted()
    }
}
