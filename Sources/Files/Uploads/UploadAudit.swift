import Blocks
import Metadata
import Model

/// Finds out what a set of changes needs and what of it is not there, and that all of it fits together.
///
/// Which pages are trusted: those that the recipe shares with the content that the node has at the head, because that
/// content is committed and so complete. All others are read and their blocks looked for, even when the account has the
/// page: the pages of an unfinished upload are kept as they come, so that a page is there says nothing of its
/// blocks. An edit costs O(changed pages), a new file O(its pages).
///
/// The trust holds up to the commit, whatever the collector does meanwhile: a commit is applied only when the node is still
/// at the base of the change. So no change is trusted through a state that is older than its base.
struct UploadAudit {
    /// What was found.
    struct Findings: Sendable {
        /// Every block that the changes need and that does not ride along, in the order of the recipes, each once.
        var needed: [BlockID] = []
        /// Those of them that the account does not have where they can be read at once.
        var missing: [BlockID] = []
        /// Those of the missing that lie in the archive.
        var archived: Set<BlockID> = []
        /// Every page that the changes need, that does not ride along, and that is not trusted.
        var neededPages: [PageID] = []
        /// The pages that are neither there nor ride along.
        var missingPages: [PageID] = []
    }

    let connection: any MetadataConnection
    let account: AccountID
    /// The pages that ride along.
    let pages: [PageID: RecipePage]
    /// The blocks that ride along, with their lengths.
    let inline: [BlockID: Int]

    private struct Wanted {
        let id: PageID
        let size: UInt64
    }

    /// Looks at the changes in turn.
    /// - Throws: ``FilesError`` `invalidPage` for a recipe that contradicts itself, its content or its blocks.
    func run(_ changes: [NodeChange], in namespace: NamespaceID) throws -> Findings {
        let present = try NodeQueries(connection).nodes(changes.map(\.node), in: namespace)
        var blocks = BlockLengths()
        var findings = Findings()
        for change in changes {
            guard let content = change.state?.payload.content, content.size > 0 else { continue }
            let committed = Self.trusted(present[change.node], for: change)
            if content == committed { continue }
            if let block = content.id.block {
                try blocks.add(RecipeEntry(block: block, length: UInt32(content.size)))
            } else {
                try walk(content, since: committed, &blocks, &findings)
            }
        }
        try lookFor(blocks, &findings)
        return findings
    }

    /// The content that a change may be trusted through: that of the head, unless the change is based on a later state.
    private static func trusted(_ record: NodeRecord?, for change: NodeChange) -> Content? {
        guard let record, change.base <= record.revision else { return nil }
        return record.state.payload.content
    }

    /// Collects the blocks below the pages that the committed content does not have, level by level from the root.
    private func walk(
        _ content: Content, since committed: Content?, _ blocks: inout BlockLengths, _ findings: inout Findings
    ) throws {
        guard let root = content.id.page, content.id.level <= BlockLimits.maximumLevel else {
            throw FilesError(.invalidPage, "content \(content.id) has more levels than any recipe")
        }
        var wanted = [Wanted(id: root, size: content.size)]
        var old: [PageEntry] = []
        for level in (1...max(content.id.level, committed?.id.level ?? 0)).reversed() {
            if let committed, committed.id.level == level, let page = committed.id.page {
                old = [PageEntry(child: page, size: committed.size)]
            }
            if level > content.id.level {
                old = try children(of: old, level)
                continue
            }
            let known = Dictionary(old.map { ($0.child, $0.size) }, uniquingKeysWith: { first, _ in first })
            let fresh = try wanted.filter { page in
                guard let size = known[page.id] else { return true }
                guard size == page.size else { throw mismatch(page.id, "\(size) bytes below it, not \(page.size)") }
                return false
            }
            if level > 1 {
                let matched = Set(wanted.map(\.id))
                // What the old recipe has beyond this is not worth reading: an unknown page only costs its check.
                let worth = old.filter { !matched.contains($0.child) }.prefix(4 * fresh.count + 16)
                old = try children(of: Array(worth), level)
            }
            wanted = try read(fresh, level, &blocks, &findings)
            if wanted.isEmpty { return }
        }
    }

    /// Reads pages of one level: their blocks at level 1, else what to look at one level down.
    private func read(
        _ wanted: [Wanted], _ level: UInt8, _ blocks: inout BlockLengths, _ findings: inout Findings
    ) throws -> [Wanted] {
        var next: [Wanted] = []
        var seen: Set<PageID> = []
        let unique = wanted.filter { seen.insert($0.id).inserted }
        for start in stride(from: 0, to: unique.count, by: Self.pagesAtOnce) {
            let part = unique[start..<min(unique.count, start + Self.pagesAtOnce)]
            let loaded = try load(part.map(\.id))
            for want in part {
                guard let page = loaded[want.id] else {
                    findings.missingPages.append(want.id)
                    continue
                }
                if pages[want.id] == nil { findings.neededPages.append(want.id) }
                guard page.level == level, page.size == want.size else {
                    throw mismatch(
                        want.id, "level \(page.level) and \(page.size) bytes, not level \(level) and \(want.size)")
                }
                for entry in page.blocks { try blocks.add(entry) }
                next += page.children.map { Wanted(id: $0.child, size: $0.size) }
            }
        }
        return next
    }

    private static let pagesAtOnce = 256

    private func load(_ ids: [PageID]) throws -> [PageID: RecipePage] {
        var loaded: [PageID: RecipePage] = [:]
        var others: [PageID] = []
        for id in ids {
            if let page = pages[id] { loaded[id] = page } else { others.append(id) }
        }
        for (id, bytes) in try PageQueries(connection).load(others, account: account) {
            loaded[id] = try RecipePage(decoding: bytes, expecting: id)
        }
        return loaded
    }

    private func children(of entries: [PageEntry], _ level: UInt8) throws -> [PageEntry] {
        try load(entries.map(\.child)).values.flatMap(\.children)
    }

    private func lookFor(_ blocks: BlockLengths, _ findings: inout Findings) throws {
        let entries = try blocks.inOrder.filter { entry in
            guard let length = inline[entry.block] else { return true }
            guard length == Int(entry.length) else { throw wrongLength(entry, length) }
            return false
        }
        findings.needed = entries.map(\.block)
        for start in stride(from: 0, to: entries.count, by: Self.blocksAtOnce) {
            let part = entries[start..<min(entries.count, start + Self.blocksAtOnce)]
            let stored = try BlockQueries(connection).locations(part.map(\.block), account: account)
            for entry in part {
                guard let found = stored[entry.block] else {
                    findings.missing.append(entry.block)
                    continue
                }
                guard found.plainLength == entry.length else { throw wrongLength(entry, Int(found.plainLength)) }
                // It has to be sent again: no file becomes a current one by what lies in the archive only.
                if found.tier == .archive {
                    findings.missing.append(entry.block)
                    findings.archived.insert(entry.block)
                }
            }
        }
    }

    private static let blocksAtOnce = 4096

    private func wrongLength(_ entry: RecipeEntry, _ length: Int) -> FilesError {
        FilesError(.invalidPage, "block \(entry.block) has \(length) bytes, not \(entry.length)")
    }

    private func mismatch(_ page: PageID, _ what: String) -> FilesError {
        FilesError(.invalidPage, "page \(page) has \(what)")
    }
}

/// Blocks in the order in which they are named, each once and always with the same length.
struct BlockLengths {
    private(set) var inOrder: [RecipeEntry] = []
    private var lengths: [BlockID: UInt32] = [:]

    mutating func add(_ entry: RecipeEntry) throws(FilesError) {
        if let length = lengths.updateValue(entry.length, forKey: entry.block) {
            guard length == entry.length else {
                throw FilesError(
                    .invalidPage, "block \(entry.block) is said to have \(length) and \(entry.length) bytes")
            }
        } else {
            inOrder.append(entry)
        }
    }
}
