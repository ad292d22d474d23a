import Metadata
import Model

/// The pages and blocks of a range of names that are in use.
struct LiveSet: Sendable {
    let range: DigestRange
    private var pages: Set<Digest> = []
    private var blocks: Set<Digest> = []

    init(_ range: DigestRange) {
        self.range = range
    }

    var count: Int { pages.count + blocks.count }

    mutating func insert(_ block: BlockID) {
        if range.contains(block.digest) { blocks.insert(block.digest) }
    }

    mutating func insert(_ page: PageID) {
        if range.contains(page.digest) { pages.insert(page.digest) }
    }

    func contains(_ kind: CondemnedKind, _ id: Digest) -> Bool {
        switch kind {
        case .page: pages.contains(id)
        case .block: blocks.contains(id)
        }
    }
}
