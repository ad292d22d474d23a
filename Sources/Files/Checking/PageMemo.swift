import Blocks
import Metadata
import Model
import Synchronization

/// What is known of the pages of one account: each is read and verified once, whatever the number of versions that name it.
final class PageMemo: Sendable {
    /// What a page was found to be.
    private struct Shape: Hashable, Sendable {
        let level: UInt8
        let size: UInt64
    }

    private struct State: Sendable {
        var whole: [PageID: Shape] = [:]
        /// Why what is below a page can't be read.
        var damaged: [PageID: String] = [:]
        /// Whether some page can't be read itself: then it is unknown what lies below.
        var isBroken = false
    }

    let account: AccountID
    let damage: PackDamage
    private let state = Mutex(State())

    init(account: AccountID, damage: PackDamage) {
        self.account = account
        self.damage = damage
    }

    /// Whether a page was met on the way from a kept file.
    func isReached(_ page: PageID) -> Bool {
        state.withLock { $0.whole[page] != nil || $0.damaged[page] != nil }
    }

    /// Whether some page can't be read, so that nobody can say what it named.
    var isBroken: Bool { state.withLock { $0.isBroken } }

    /// How many pages were met.
    var count: Int { state.withLock { $0.whole.count + $0.damaged.count } }

    /// Why a content can't be read; nil when it can.
    func fault(of content: Content, _ connection: any MetadataConnection) throws -> String? {
        if content.size == 0 { return nil }
        if let page = content.id.page {
            return try fault(of: page, Shape(level: content.id.level, size: content.size), connection)
        }
        guard content.size <= UInt64(BlockLimits.maximumBlockLength) else {
            return "it has \(content.size) bytes, and is said to be one block"
        }
        let entry = RecipeEntry(block: BlockID(content.id.digest), length: UInt32(content.size))
        return try fault(of: [entry], connection)
    }

    private func fault(of page: PageID, _ shape: Shape, _ connection: any MetadataConnection) throws -> String? {
        let known = state.withLock { ($0.whole[page], $0.damaged[page]) }
        if let whole = known.0 { return whole == shape ? nil : Self.mismatch(page) }
        if let cause = known.1 { return cause }
        let decoded: RecipePage
        do {
            guard let bytes = try PageQueries(connection).load(page, account: account) else {
                return breaks(page, "page \(page) of its recipe is gone")
            }
            decoded = try RecipePage(decoding: bytes, expecting: page)
        } catch let error as BlocksError {
            return breaks(page, "page \(page) of its recipe is damaged: \(error.message)")
        }
        // Everything below is looked at, also when something is known to be damaged: it was reached.
        var cause = try fault(of: decoded.blocks, connection)
        for child in decoded.children {
            let below = try fault(of: child.child, Shape(level: decoded.level - 1, size: child.size), connection)
            cause = cause ?? below
        }
        state.withLock { state in
            if let cause {
                state.damaged[page] = cause
            } else {
                state.whole[page] = Shape(level: decoded.level, size: decoded.size)
            }
        }
        if cause == nil, decoded.level != shape.level || decoded.size != shape.size { return Self.mismatch(page) }
        return cause
    }

    private func breaks(_ page: PageID, _ cause: String) -> String {
        state.withLock { state in
            state.damaged[page] = cause
            state.isBroken = true
        }
        return cause
    }

    private static func mismatch(_ page: PageID) -> String {
        "page \(page) of its recipe has another level or size than is said of it"
    }

    private func fault(of entries: [RecipeEntry], _ connection: any MetadataConnection) throws -> String? {
        if entries.isEmpty { return nil }
        let places = try BlockQueries(connection).locations(entries.map(\.block), account: account)
        for entry in entries {
            guard let place = places[entry.block] else { return "block \(entry.block) has no row" }
            guard place.plainLength == entry.length else {
                return "block \(entry.block) has \(place.plainLength) bytes by its row, not \(entry.length)"
            }
            if let cause = damage.cause(OwnedBlock(account: account, block: place)) {
                return "block \(entry.block): \(cause)"
            }
        }
        return nil
    }
}
