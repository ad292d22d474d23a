public import Model

/// Applies commits and reads the journal of a namespace.
public struct CommitQueries {
    let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// Applies a commit: all of it, or nothing.
    ///
    /// The head is locked first, so commits to one namespace follow one another. The same upload again is answered
    /// with what became of it the first time, whatever it says now. ``CommitValidation`` has the rules. That every
    /// block and page is durable is the caller's to see to, before.
    /// - Parameters:
    ///   - request: what to commit.
    ///   - time: when the commit happens.
    ///   - hash: SHA-256.
    /// - Returns: the commit, or every change that was refused.
    /// - Throws: ``MetadataError`` `notFound` when there is no such namespace; `constraint` when the request has no
    ///   change, or two for one node, or a number that no database can keep.
    /// - Complexity: O(changes), and for moved folders the depth of the tree.
    public func apply(
        _ request: CommitRequest, at time: Timestamp, hash: ([UInt8]) -> Digest
    ) throws -> CommitOutcome {
        guard let head = try NamespaceQueries(connection).lockHead(of: request.namespace) else {
            throw MetadataError(.notFound, "there is no namespace \(request.namespace)")
        }
        if let known = try outcome(of: request.upload, in: request.namespace) { return known }
        let changes = try Self.ordered(request)
        let surroundings = try CommitSurroundings(of: changes, in: request.namespace, connection)
        let refusals = CommitValidation(changes, in: surroundings).refusals()
        guard refusals.isEmpty else {
            try refuse(request, refusals, at: time)
            return .refused(refusals)
        }
        let digest = hash(JournalFormat.bytes(of: changes.map { (node: $0.node, state: $0.state) }))
        let revision = head.revision.next
        let commitHash = JournalFormat.commitHash(
            after: head, revision: revision, device: request.device, upload: request.upload, time: time,
            digest: digest, count: changes.count, hash: hash)
        let record = CommitRecord(
            head: Head(namespace: request.namespace, revision: revision, hash: commitHash), device: request.device,
            upload: request.upload, time: time, changeCount: changes.count)
        try write(changes, in: surroundings, record.head)
        try self.record(JournalEntry(record: record, digest: digest))
        try NamespaceQueries(connection).raise(to: record.head)
        return .committed(record)
    }

    /// The changes by node.
    private static func ordered(_ request: CommitRequest) throws -> [NodeChange] {
        if request.changes.isEmpty { throw MetadataError(.constraint, "commit \(request.upload) changes nothing") }
        let changes = request.changes.sorted { $0.node < $1.node }
        for (change, next) in zip(changes, changes.dropFirst()) where change.node == next.node {
            throw MetadataError(.constraint, "commit \(request.upload) changes node \(change.node) twice")
        }
        return changes
    }

    private func refuse(_ request: CommitRequest, _ refusals: [Refusal], at time: Timestamp) throws {
        try connection.execute(
            "INSERT INTO refusal (namespace, upload, time, refusals) VALUES ($1, $2, $3, $4)",
            [.id(request.namespace), .id(request.upload), .time(time), .blob(RefusalFormat.encode(refusals))])
    }

    /// Ends the old rows, then opens the new ones: so a name is free before another node takes it.
    private func write(_ changes: [NodeChange], in surroundings: CommitSurroundings, _ head: Head) throws {
        let namespace = SQLValue.id(head.namespace)
        let revision = try SQLValue.revision(head.revision)
        let ended = try changes.compactMap { change -> [SQLValue]? in
            guard let current = surroundings.current(change.node) else { return nil }
            return [revision, namespace, .id(change.node), try .revision(current.revision)]
        }
        let count = try connection.executeMany(
            "UPDATE node SET valid_to = $1 WHERE namespace = $2 AND node = $3 AND valid_from = $4 AND valid_to IS NULL",
            ended)
        guard count == ended.count else {
            throw MetadataError(
                .corrupt, "namespace \(head.namespace): \(ended.count) rows were to end, but \(count) did")
        }
        try connection.executeMany(
            NodeRow.insert,
            try changes.compactMap { change in
                try change.state.map {
                    try NodeRow.values(
                        NodeRecord(node: change.node, revision: head.revision, state: $0), in: head.namespace)
                }
            })
    }
}
