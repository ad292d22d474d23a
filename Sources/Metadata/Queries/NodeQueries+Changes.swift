public import Model

extension NodeQueries {
    /// What changed after `since`, up to and with `upTo`: each node once, as it is at `upTo`.
    ///
    /// A node that is gone by then is named as gone, even when it also came after `since`: the asker may have
    /// made it itself, by a commit that its cursor has not reached.
    ///
    /// A page has at most `limit` entries, which is at least 1. `after` is where the page before ended, nil for the
    /// first; `since` and `upTo` must stay the same from page to page.
    /// - Complexity: O(rows that came or went in between, behind `after`, until the page is full).
    public func changes(
        in namespace: NamespaceID, since: Revision, upTo: Revision, after: ChangePosition? = nil, limit: Int
    ) throws -> ChangesSlice {
        precondition(limit >= 1, "a page holds at least one change")
        // Nothing of `since` itself is wanted: no node is behind this one.
        let first = ChangePosition(revision: since, node: NodeID(high: .max, low: .max))
        let start = max(first, after ?? first)
        guard start.revision <= upTo else { return ChangesSlice(entries: [], next: nil) }
        // One more than asked for tells whether there is another page.
        let rows = try connection.query(
            Self.changesStatement,
            [
                .id(namespace), try .revision(start.revision), .id(start.node), try .revision(upTo),
                .integer(Int64(limit) + 1),
            ])
        var entries: [NodeAtRevision] = []
        entries.reserveCapacity(min(rows.count, limit))
        for row in rows.prefix(limit) {
            let state = row.isNull(4) ? nil : try NodeRow.state(row)
            entries.append(NodeAtRevision(node: try row.id(0), revision: try row.revision(1), state: state))
        }
        return ChangesSlice(entries: entries, next: rows.count > limit ? entries.last?.position : nil)
    }

    /// The nodes that came and are still so, and those that went and did not come back.
    private static let changesStatement = """
        SELECT \(NodeRow.columns) FROM node
        WHERE namespace = $1 AND valid_from <= $4 AND (valid_from, node) > ($2, $3)
            AND (valid_to IS NULL OR valid_to > $4)
        UNION ALL
        SELECT node, valid_to, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM node AS gone
        WHERE namespace = $1 AND valid_to <= $4 AND (valid_to, node) > ($2, $3)
            AND NOT EXISTS (
                SELECT 1 FROM node AS later
                WHERE later.namespace = $1 AND later.node = gone.node
                    AND later.valid_from >= gone.valid_to AND later.valid_from <= $4)
        ORDER BY 2, 1 LIMIT $5
        """
}
