import Metadata
import Model

/// What of the packs no region can give.
struct PackDamage: Sendable {
    /// Packs that rows name, and no region has.
    var lostPacks: Set<PackID> = []
    /// Blocks whose record no region has whole, with why.
    var lostBlocks: [OwnedBlock.Key: String] = [:]

    /// Why a block can't be read; nil when nothing is known against it.
    func cause(_ block: OwnedBlock) -> String? {
        if lostPacks.contains(block.block.pack) { return "pack \(block.block.pack) is in no region" }
        return lostBlocks[block.key]
    }
}

/// The rows of the blocks of a pack, in the order of their places, a batch at a time.
struct PackRows: Sendable {
    let database: any MetadataDatabase
    let pack: PackID
    private var last: OwnedBlock?
    private static let step = 500

    init(database: any MetadataDatabase, pack: PackID) {
        self.database = database
        self.pack = pack
    }

    /// The next rows; none at the end.
    mutating func next() async throws -> [OwnedBlock] {
        let (pack, start) = (pack, last)
        let rows = try await database.read { connection in
            try CheckQueries(connection).blocks(
                in: pack, after: start.map { ($0.account, $0.block) }, limit: Self.step)
        }
        let blocks = rows.map { OwnedBlock(account: $0.account, block: $0.block) }
        if let end = blocks.last { last = end }
        return blocks
    }
}
