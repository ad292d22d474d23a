public import Model

extension UploadQueries {
    /// Notes blocks that an upload waits for; those that are noted already are left alone.
    /// - Throws: ``MetadataError`` `notFound` when there is no such upload.
    public func addMissing(_ id: UploadID, _ blocks: [BlockID]) throws {
        guard let row = try connection.first("SELECT account FROM upload WHERE id = $1", [.id(id)]) else {
            throw MetadataError(.notFound, "there is no upload \(id)")
        }
        let account = SQLValue.blob(try row.blob(0))
        try connection.executeMany(
            """
            INSERT INTO missing_block (account, block, upload) VALUES ($1, $2, $3)
            ON CONFLICT (account, block, upload) DO NOTHING
            """,
            blocks.map { [account, .name($0), .id(id)] })
    }

    /// The blocks that an upload still waits for, ordered, at most `limit` of them.
    public func missing(_ id: UploadID, limit: Int) throws -> [BlockID] {
        try connection.query(
            "SELECT block FROM missing_block WHERE upload = $1 ORDER BY block LIMIT $2",
            [.id(id), .integer(Int64(limit))]
        ).map { try $0.name(0) }
    }

    /// Notes that blocks of an account are durable: no upload waits for them any more.
    ///
    /// An upload is named by the call that takes the last block it waited for, once. One that never waited for any, or
    /// gets its change-set later, is for the caller to complete: ``missing(_:limit:)`` tells.
    /// - Returns: the pending uploads that have their change-set and now wait for nothing, ordered.
    public func settle(_ blocks: [BlockID], account: AccountID) throws -> [UploadID] {
        var touched: Set<UploadID> = []
        try ChunkedList.forEach(blocks) { chunk in
            let list = ChunkedList.parameters(from: 2, count: chunk.count)
            for row in try connection.query(
                "DELETE FROM missing_block WHERE account = $1 AND block IN (\(list)) RETURNING upload",
                [.id(account)] + chunk.map(SQLValue.name))
            {
                touched.insert(try row.id(0))
            }
        }
        return try touched.sorted().filter { upload in
            try connection.first(
                """
                SELECT 1 FROM upload WHERE id = $1 AND state = 0 AND changes IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM missing_block WHERE upload = $1)
                """, [.id(upload)]) != nil
        }
    }
}
