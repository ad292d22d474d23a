import Metadata
import Model
import Retention

/// Finds how many sealed bytes each version of a file has that neither its older nor its newer neighbour needs.
struct VersionBytes {
    private let account: AccountID
    private let connection: any MetadataConnection

    /// Versions of more bytes than this are judged by their sizes: the blocks of three of them are in memory at once.
    static let mostBytes: UInt64 = 16 << 30

    init(account: AccountID, _ connection: any MetadataConnection) {
        self.account = account
        self.connection = connection
    }

    /// Notes them in versions that follow one another in time.
    /// - Throws: ``FilesError`` `corruptData` for a recipe that can't be read.
    func measure(_ versions: inout [FileVersion]) throws {
        guard versions.allSatisfy({ $0.content.size <= Self.mostBytes }) else { return }
        var before: Set<BlockID> = []
        var blocks = try versions.first.map { try self.blocks(of: $0.content) } ?? []
        for index in versions.indices {
            let next = index + 1 < versions.count ? try self.blocks(of: versions[index + 1].content) : []
            let own = blocks.filter { !before.contains($0) && !next.contains($0) }
            let places = try BlockQueries(connection).locations(Array(own), account: account)
            versions[index].ownBytes = places.values.reduce(0) { $0 + UInt64($1.length) }
            (before, blocks) = (blocks, next)
        }
    }

    private func blocks(of content: Content) throws -> Set<BlockID> {
        var (blocks, visit) = (Set<BlockID>(), ContentBlocks())
        try visit.visit(content, of: account, connection) { blocks.insert($0) }
        return blocks
    }
}
