import Model

/// The entries of folders in the past.
///
/// Two ways lead there. By name: the names behind the start of the page are looked at one after the other, each with a few
/// steps into an index, however many versions it had. By time: what the folder has had up to the revision is gone through,
/// which is a short way where most of its entries came later. The first is good when most of the names were there at the
/// revision; so it begins, and the second is tried when few of the first names were there.
extension NodeQueries {
    /// The entries of a folder at a revision, as ``children(of:in:after:limit:at:)`` says.
    func pastChildren(
        of parent: NodeID, in namespace: NamespaceID, after: SQLValue, limit: Int, at revision: Revision
    ) throws -> [NodeRecord] {
        var listing = PastListing(
            connection: connection, namespace: namespace, parent: parent, revision: revision, start: after,
            limit: limit)
        return try listing.page()
    }
}

/// One page of a folder in the past.
private struct PastListing {
    let connection: any MetadataConnection
    let namespace: NamespaceID
    let parent: NodeID
    let revision: Revision
    let start: SQLValue
    let limit: Int

    /// The most entries that are read by time: they are all in memory at once.
    private var mostByTime: Int { max(4096, 2 * limit) }

    mutating func page() throws -> [NodeRecord] {
        guard limit > 0 else { return [] }
        var names = NameWalk(self)
        if try names.walk(atMost: limit / 4 + 50) { return names.page }
        let seemsSparse = names.isSparse
        if seemsSparse, let page = try byTime() { return page }
        if try names.walk(atMost: limit - names.page.count + 100) { return names.page }
        if !seemsSparse, let page = try byTime() { return page }
        var portion = 4 * limit + 1000
        while try !names.walk(atMost: portion) { portion = min(2 * portion, 50_000) }
        return names.page
    }

    /// The page by the times of the folder's rows; nil when too many of them were there.
    private func byTime() throws -> [NodeRecord]? {
        let rows = try connection.query(
            """
            SELECT \(NodeRow.qualifiedColumns) FROM (
                SELECT node, valid_from FROM node
                WHERE namespace = $1 AND parent = $2 AND valid_from <= $3
                    AND COALESCE(valid_to, \(Int64.max)) > $3
                LIMIT $4) AS entry
            JOIN node ON node.namespace = $1 AND node.node = entry.node AND node.valid_from = entry.valid_from
            """,
            [.id(namespace), .id(parent), try .revision(revision), .integer(Int64(mostByTime) + 1)])
        guard rows.count <= mostByTime, case .blob(let start) = start else { return nil }
        let records = try rows.map(NodeRow.record).filter { start.lexicographicallyPrecedes($0.state.name.bytes) }
        return Array(records.sorted { $0.state.name < $1.state.name }.prefix(limit))
    }

    /// Goes through the names of a folder: those that have an entry now, and those that had one.
    private struct NameWalk {
        private let listing: PastListing
        private var present: Stream
        private var past: Stream

        /// The names of one kind, in order.
        private struct Stream {
            let statement: String
            /// The last name that was looked at.
            var position: SQLValue
            var isAtEnd = false
            var looked = 0
            var found: [NodeRecord] = []
        }

        init(_ listing: PastListing) {
            self.listing = listing
            present = Stream(statement: PastListing.presentStatement, position: listing.start)
            past = Stream(statement: PastListing.pastStatement, position: listing.start)
        }

        /// Looks at some more names of each kind. Whether the page is known then.
        mutating func walk(atMost count: Int) throws -> Bool {
            try advance(&present, count)
            try advance(&past, count)
            return (present.isAtEnd && past.isAtEnd) || known.count >= listing.limit
        }

        /// Whether fewer than one in four of the names that were looked at had an entry then.
        var isSparse: Bool { 4 * (present.found.count + past.found.count) < present.looked + past.looked }

        /// The first entries, once they are known.
        var page: [NodeRecord] { Array(known.prefix(listing.limit)) }

        /// The entries up to the name to which both kinds were looked at, in order.
        private var known: [NodeRecord] {
            let ends = [present, past].filter { !$0.isAtEnd }.compactMap { stream -> [UInt8]? in
                if case .blob(let bytes) = stream.position { bytes } else { nil }
            }
            let end = ends.min { $0.lexicographicallyPrecedes($1) }
            let records = (present.found + past.found).filter { record in
                end.map { !$0.lexicographicallyPrecedes(record.state.name.bytes) } ?? true
            }
            return records.sorted { $0.state.name < $1.state.name }
        }

        private func advance(_ stream: inout Stream, _ count: Int) throws {
            // The other kind may need more names to fill the page; this one has enough.
            if stream.isAtEnd || stream.found.count > listing.limit { return }
            let rows = try listing.connection.query(
                stream.statement,
                [
                    .id(listing.namespace), .id(listing.parent), stream.position, try .revision(listing.revision),
                    .integer(Int64(count)),
                ])
            var last = stream.position
            for row in rows {
                let name = SQLValue.blob(try row.blob(11))
                if Self.isBehind(name, last) { last = name }
                if !row.isNull(0) { stream.found.append(try NodeRow.record(row)) }
            }
            stream.position = last
            stream.looked += rows.count
            stream.isAtEnd = rows.count < count
        }

        private static func isBehind(_ left: SQLValue, _ right: SQLValue) -> Bool {
            guard case .blob(let left) = left, case .blob(let right) = right else { return false }
            return right.lexicographicallyPrecedes(left)
        }
    }

    /// So many names that have an entry now; each with the entry, if it was there already. The one that was not is looked
    /// for by nothing, which is not looked for at all.
    private static let presentStatement = """
        SELECT \(NodeRow.qualifiedColumns), entry.name FROM (
            SELECT name, node, valid_from FROM node
            WHERE namespace = $1 AND parent = $2 AND name > $3 AND valid_to IS NULL
            ORDER BY name LIMIT $5) AS entry
        LEFT JOIN node ON node.namespace = $1 AND node.node = entry.node
            AND node.valid_from = CASE WHEN entry.valid_from <= $4 THEN entry.valid_from END
        """

    /// So many names that had entries; each with the one of the revision, if there is one. The rows of one name do not
    /// overlap, so it is the first that ended after the revision, or none is. Only its key is looked for by the name: a
    /// planner that knows nothing of the table would take another index for the whole row.
    private static let pastStatement = """
        WITH RECURSIVE entry (name, step) AS (
            SELECT name, 1 FROM (
                SELECT name FROM node WHERE namespace = $1 AND parent = $2 AND name > $3 AND valid_to IS NOT NULL
                ORDER BY name LIMIT 1) AS entry_one
            UNION ALL
            SELECT (
                SELECT later.name FROM node AS later
                WHERE later.namespace = $1 AND later.parent = $2 AND later.name > entry.name
                    AND later.valid_to IS NOT NULL
                ORDER BY later.name LIMIT 1), step + 1
            FROM entry WHERE entry.name IS NOT NULL AND step < $5
        )
        SELECT \(NodeRow.qualifiedColumns), entry_found.name FROM (
            SELECT entry.name, (
                SELECT held.node FROM node AS held
                WHERE held.namespace = $1 AND held.parent = $2 AND held.name = entry.name AND held.valid_to > $4
                ORDER BY held.valid_to LIMIT 1) AS node, (
                SELECT held.valid_from FROM node AS held
                WHERE held.namespace = $1 AND held.parent = $2 AND held.name = entry.name AND held.valid_to > $4
                ORDER BY held.valid_to LIMIT 1) AS valid_from
            FROM entry WHERE entry.name IS NOT NULL) AS entry_found
        LEFT JOIN node ON node.namespace = $1 AND node.node = entry_found.node
            AND node.valid_from = entry_found.valid_from AND +node.valid_from <= $4
        """
}
