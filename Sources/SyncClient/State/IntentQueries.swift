import GRDB
import Model

/// What the steps that the applier is about to perform will have made of nodes, in their order.
///
/// A kill between a rename and the note of it would leave the next scan to guess: two files that changed places look
/// like two files with new bytes. With the intents at hand, recovery knows what it sees.
struct IntentQueries {
    let connection: Database
    let link: LinkID

    init(_ connection: Database, link: LinkID) {
        self.connection = connection
        self.link = link
    }

    /// Takes the place of all intents noted before.
    func replace(with records: [LocalRecord]) throws {
        let delete = try PreparedQuery("DELETE FROM intent WHERE link = ?", on: connection)
        delete.bind(1, link)
        try delete.run()
        let insert = try PreparedQuery(
            """
            INSERT INTO intent (link, node, condition, \(NodeColumns.state), \(NodeColumns.fingerprint))
            VALUES (\(NodeColumns.marks(21)))
            """, on: connection)
        for record in records {
            insert.bind(1, link)
            insert.bind(2, record.node)
            insert.bind(3, condition: record.condition)
            insert.bind(4 + NodeColumns.stateCount, fingerprint: record.fingerprint, racy: record.isRacy)
            try insert.run()
        }
    }

    func all() throws -> [LocalRecord] {
        let query = try PreparedQuery(
            """
            SELECT node, condition, \(NodeColumns.state), \(NodeColumns.fingerprint) FROM intent
            WHERE link = ? ORDER BY sequence
            """, on: connection)
        query.bind(1, link)
        return try query.all(LocalRecord.init)
    }
}
