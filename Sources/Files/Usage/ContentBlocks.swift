import Blocks
import Metadata
import Model

/// Goes through the blocks that contents need, page by page, leaving out the pages that were seen before.
///
/// Versions of a large file share nearly all of their pages: the second version costs what differs from the first.
struct ContentBlocks {
    private var seen: Set<PageID> = []
    private let mostSeen: Int

    /// How many pages are read at once.
    private static let pagesAtOnce = 64

    /// Remembers at most so many pages; when there are more it forgets all of them, and reads some twice.
    init(mostSeen: Int = 500_000) {
        self.mostSeen = mostSeen
    }

    /// Calls `body` for each block of a content that does not lie below a page that was seen; a block may come twice.
    /// - Throws: ``FilesError`` `corruptData` for a page that is gone or damaged, and what `body` throws.
    mutating func visit(
        _ content: Content, of account: AccountID, _ connection: any MetadataConnection, body: (BlockID) throws -> Void
    ) throws {
        guard content.size > 0 else { return }
        if let block = content.id.block { return try body(block) }
        var wanted = content.id.page.map { [$0] } ?? []
        while !wanted.isEmpty {
            var part = Array(wanted.suffix(Self.pagesAtOnce))
            wanted.removeLast(part.count)
            if seen.count >= mostSeen { seen = [] }
            part = part.filter { seen.insert($0).inserted }
            let loaded = try PageQueries(connection).load(part, account: account)
            for id in part {
                let page = try Self.page(id, loaded[id], content)
                for entry in page.blocks { try body(entry.block) }
                wanted += page.children.map(\.child)
            }
        }
    }

    private static func page(_ id: PageID, _ bytes: [UInt8]?, _ content: Content) throws -> RecipePage {
        guard let bytes else {
            throw FilesError(.corruptData, "content \(content.id): page \(id) of its recipe is gone")
        }
        do { return try RecipePage(decoding: bytes, expecting: id) } catch let error as BlocksError {
            throw FilesError(.corruptData, "content \(content.id): its recipe is damaged", cause: error.description)
        }
    }
}
