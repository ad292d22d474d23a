internal import GRDB
public import Metadata

extension SQLiteMetadataReader {
    /// Writes a copy of the database as it is at one moment to a new file, while a server goes on writing.
    ///
    /// The copy holds nothing but the rows, and needs no file beside it. It is not synced. O(bytes of the database).
    /// - Parameters:
    ///   - copy: the path of the new file.
    ///   - adjust: what is to be different in the copy, in a transaction of its own.
    /// - Throws: ``MetadataError``, and leaves a file that is no database when there is no room for the whole copy.
    public func copy(
        to copy: String, adjust: @escaping @Sendable (any MetadataConnection) throws -> Void = { _ in }
    ) async throws {
        do {
            // Outside of a transaction, as SQLite asks for; the statement itself reads one state.
            try await unsafelyRead { database in
                try database.execute(sql: "VACUUM INTO ?", arguments: [copy])
            }
            let queue = try DatabaseQueue(path: copy)
            try await queue.write { try adjust(SQLiteMetadataConnection($0, path: copy)) }
            try queue.close()
        } catch {
            throw SQLiteErrors.translated(error, path: path)
        }
    }

    /// What SQLite finds wrong with the file itself, at most `limit` things; nothing when it is sound. O(bytes).
    /// - Throws: ``MetadataError``.
    public func fileFaults(limit: Int) async throws -> [String] {
        let rows = try await read { try $0.query("PRAGMA integrity_check(\(limit))", []) }
        return try rows.map { try $0.text(0) }.filter { $0 != "ok" }
    }
}
