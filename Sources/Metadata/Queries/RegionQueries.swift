public import Model

/// Reads and writes which regions hold the packs.
public struct RegionQueries {
    private let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// All regions, the oldest first.
    public func all() throws -> [RegionRecord] {
        try connection.query("SELECT id, path, added FROM region ORDER BY added, id", []).map { row in
            RegionRecord(id: try row.id(0), path: try row.text(1), added: try row.time(2))
        }
    }

    /// Remembers a region; one that is known is at another path from now on.
    public func remember(_ region: RegionRecord) throws {
        try connection.execute(
            "INSERT INTO region (id, path, added) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET path = $2",
            [.id(region.id), .text(region.path), .time(region.added)])
    }

    /// Forgets a region.
    /// - Returns: whether it was known.
    @discardableResult
    public func forget(_ id: RegionID) throws -> Bool {
        try connection.execute("DELETE FROM region WHERE id = $1", [.id(id)]) > 0
    }
}
