import Model

/// Stops before a folder that was emptied by a mishap empties the server.
struct DeletionGuard {
    let database: ClientDatabase
    let link: LinkID

    private static let fewest = 1000

    /// - Throws: ``ClientError`` with code `massDeletion` when more than half of the synced nodes, and at least 1,000, are
    ///   gone from the disk at once. What another device removed does not count.
    func check() throws {
        try database.read { connection in
            let query = try PreparedQuery(
                """
                SELECT count(*) FROM local AS l WHERE link = ? AND condition = 2 AND NOT EXISTS
                (SELECT 1 FROM remote AS r WHERE r.link = l.link AND r.node = l.node AND r.removed = 1)
                """, on: connection)
            query.bind(1, link)
            let removed = try query.first { Int($0.integer(0)) } ?? 0
            if removed < Self.fewest { return }
            let synced = try SyncedQueries(connection, link: link).count()
            if removed * 2 <= synced { return }
            throw ClientError(
                .massDeletion,
                """
                \(removed) of \(synced) files and folders are gone from the folder. Nothing was deleted on the server. \
                If that is meant, run 'cairn sync FOLDER --confirm-deletions'; if not, bring the files back
                """)
        }
    }
}
