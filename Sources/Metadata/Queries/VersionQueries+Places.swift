public import Model

extension VersionQueries {
    /// The most nodes of one place that ``holders(of:in:)`` follows.
    private static let mostHolders = 64

    /// The nodes that were ever at a path: who is there first, then who left it last. The root has no record.
    ///
    /// The folders around it may be gone as well, or may be called otherwise now: each counts while it was there.
    /// - Complexity: O(versions at each place of the path).
    public func holders(of path: RemotePath, in namespace: NamespaceID) throws -> [NodeTenure] {
        var holders = [NodeTenure(node: .root, from: .zero, until: nil)]
        for name in path.names {
            var next: [NodeID: NodeTenure] = [:]
            for folder in holders {
                for tenure in try tenures(of: folder.node, name, in: namespace) {
                    guard let tenure = tenure.within(folder) else { continue }
                    next[tenure.node] = next[tenure.node].map { Self.union($0, tenure) } ?? tenure
                }
            }
            holders = Array(next.values.sorted(by: Self.isNewer).prefix(Self.mostHolders))
        }
        return path.names.isEmpty ? [] : holders
    }

    /// From when to when nodes were at a place, in no particular order.
    private func tenures(of parent: NodeID, _ name: NodeName, in namespace: NamespaceID) throws -> [NodeTenure] {
        let values: [SQLValue] = [.id(namespace), .id(parent), .blob(name.bytes)]
        var found = try connection.query(
            """
            SELECT node, MIN(valid_from), MAX(valid_to) FROM node
            WHERE namespace = $1 AND parent = $2 AND name = $3 AND valid_to IS NOT NULL GROUP BY node
            """, values
        ).map { NodeTenure(node: try $0.id(0), from: try $0.revision(1), until: try $0.revision(2)) }
        if let present = try NodeQueries(connection).child(parent, name, in: namespace) {
            let earlier = found.firstIndex { $0.node == present.node }.map { found.remove(at: $0) }
            found.append(NodeTenure(node: present.node, from: earlier?.from ?? present.revision, until: nil))
        }
        return found
    }

    private static func union(_ left: NodeTenure, _ right: NodeTenure) -> NodeTenure {
        let until = left.until.flatMap { one in right.until.map { max(one, $0) } }
        return NodeTenure(node: left.node, from: min(left.from, right.from), until: until)
    }

    private static func isNewer(_ left: NodeTenure, _ right: NodeTenure) -> Bool {
        let most = Revision(.max)
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
