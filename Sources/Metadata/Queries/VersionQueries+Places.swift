public import Model

extension VersionQueries {
    /// The most nodes of one place that ``holders(of:in:)`` follows.
    private static let mostHolders = 64

    /// How many versions of one place are in memory at once.
    private static let versionsAtOnce = 4096

    /// The nodes that were ever at a path: who is there first, then who left it last. The root has no record.
    ///
    /// The folders around it may be gone as well, or may be called otherwise now: each counts while it was there, and had
    /// the name of the path.
    /// - Complexity: O(versions at each place of the path).
    public func holders(of path: RemotePath, in namespace: NamespaceID) throws -> [NodeTenure] {
        var stays: [NodeID: RevisionSpans] = [.root: .always]
        for name in path.names {
            var next: [NodeID: RevisionSpans] = [:]
            for (folder, whole) in stays {
                for (node, part) in try self.stays(in: folder, as: name, in: namespace) {
                    let common = part.intersection(whole)
                    if !common.isEmpty { next[node] = next[node]?.union(common) ?? common }
                }
            }
            let newest = next.sorted { Self.isNewer(Self.tenure($0), Self.tenure($1)) }.prefix(Self.mostHolders)
            stays = Dictionary(uniqueKeysWithValues: newest.map { ($0.key, $0.value) })
        }
        return path.names.isEmpty ? [] : stays.map(Self.tenure).sorted(by: Self.isNewer)
    }

    /// When which nodes were in a folder under a name.
    private func stays(
        in folder: NodeID, as name: NodeName, in namespace: NamespaceID
    ) throws -> [NodeID: RevisionSpans] {
        var found: [NodeID: RevisionSpans] = [:]
        var last = Revision.zero
        var isMore = true
        while isMore {
            // The rows of one place do not overlap: their ends are in the order of their beginnings, and no two are equal.
            let rows = try connection.query(
                """
                SELECT node, valid_from, valid_to FROM node
                WHERE namespace = $1 AND parent = $2 AND name = $3 AND valid_to > $4 ORDER BY valid_to LIMIT $5
                """,
                [
                    .id(namespace), .id(folder), .blob(name.bytes), try .revision(last),
                    .integer(Int64(Self.versionsAtOnce)),
                ])
            for row in rows {
                last = try row.revision(2)
                let from = try row.revision(1)
                if from < last { found[try row.id(0), default: .never].add(from..<last) }
            }
            isMore = rows.count == Self.versionsAtOnce
        }
        if let present = try NodeQueries(connection).child(folder, name, in: namespace) {
            found[present.node, default: .never].add(present.revision..<RevisionSpans.endless)
        }
        return found
    }

    private static func tenure(_ stay: (key: NodeID, value: RevisionSpans)) -> NodeTenure {
        NodeTenure(node: stay.key, from: stay.value.from, until: stay.value.until)
    }

    private static func isNewer(_ left: NodeTenure, _ right: NodeTenure) -> Bool {
        let most = RevisionSpans.endless
        return (left.until ?? most, left.from, left.node) > (right.until ?? most, right.from, right.node)
    }

    /// Where a node was at a revision, or is at the head for nil; nil when it was not there, and `/` for the root.
    /// - Complexity: one look-up for each folder above it.
    public func path(of node: NodeID, in namespace: NamespaceID, at revision: Revision? = nil) throws -> RemotePath? {
        var names: [NodeName] = []
        var node = node
        while node != .root {
            guard let record = try NodeQueries(connection).node(node, in: namespace, at: revision) else { return nil }
            names.append(record.state.name)
            node = record.state.parent
        }
        return RemotePath(names.reversed())
    }

    /// The nodes that are gone, the newest removal first, from behind `after` on.
    ///
    /// A page looks at no more than `limit` versions that ended: it may have fewer entries than that, or none, and
    /// still another may follow.
    public func deletions(
        in namespace: NamespaceID, after: ChangePosition? = nil, limit: Int
    ) throws -> DeletionSlice {
        let last = ChangePosition(
            revision: Revision(UInt64(Int64.max)), node: NodeID(high: .max, low: .max))
        let start = after ?? last
        let rows = try connection.query(
            """
            SELECT \(Self.columns), EXISTS (
                SELECT 1 FROM node AS later
                WHERE later.namespace = $1 AND later.node = gone.node AND later.valid_from >= gone.valid_to)
            FROM node AS gone
            WHERE namespace = $1 AND valid_to IS NOT NULL AND (valid_to, node) < ($2, $3)
            ORDER BY valid_to DESC, node DESC LIMIT $4
            """,
            [.id(namespace), try .revision(start.revision), .id(start.node), .integer(Int64(limit))])
        var entries: [Deletion] = []
        var next: ChangePosition?
        for row in rows {
            let revision = try row.revision(11)
            next = ChangePosition(revision: revision, node: try row.id(0))
            guard try row.integer(13) == 0 else { continue }
            entries.append(Deletion(version: try Self.version(row), revision: revision))
        }
        return DeletionSlice(entries: entries, next: rows.count < limit ? nil : next)
    }
}
