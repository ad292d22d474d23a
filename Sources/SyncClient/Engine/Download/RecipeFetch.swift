import Blocks
import Model
import WireProtocol

/// Walks the recipe of a content that is to be built, and keeps it in the state.
///
/// Pages that an older version on this disk has too are made anew from its entries; the others are asked for, as the
/// splice that turns the one recipe into the other.
struct RecipeFetch {
    private let context: EngineContext
    private let content: Content
    private var cursor: RecipeCursor
    /// Pages at hand that the cursor has not come to.
    private var shelf: [PageID: [UInt8]] = [:]
    /// The level of each page that was named by the one above it. A recipe may name a page again anywhere: a long run of
    /// zeros is one page many times over. So none is forgotten.
    private var levels: [PageID: UInt8] = [:]
    /// Pages that were wanted a second time, and may be wanted again.
    private var repeated: [PageID: [UInt8]] = [:]
    private var supplied: Set<PageID> = []
    private var spool: RecipeSpool
    /// The entries of a recipe that is in the state already, part by part; nil when it is not.
    private var storedPart: Int64?

    /// From this size on the pages of the older version are not kept at hand: they would take too much memory.
    private static let spliceLimit: UInt64 = 64 << 30

    init(context: EngineContext, link: LinkID, content: Content, old: Content?) async throws {
        self.context = context
        self.content = content
        do {
            cursor = try RecipeCursor(content)
        } catch {
            throw ClientError(.serverCorrupt, "the server names a content that can't be: \(error)")
        }
        var generator = context.random
        spool = RecipeSpool(context.database, link: link, using: &generator)
        guard let page = content.id.page else { return }
        levels[page] = content.id.level
        if try await context.onWorker({ try context.database.read { try RecipeQueries($0).contains(content.id) } }) {
            storedPart = 0
        } else {
            try await ask(content.id, have: old)
        }
    }

    /// The next entries, some hundred at a time, with their offsets; nil at the end.
    mutating func next() async throws -> [(entry: RecipeEntry, offset: UInt64)]? {
        if let part = storedPart {
            storedPart = part + 1
            let (id, database) = (content.id, context.database)
            let stored = try await context.onWorker {
                try database.read { try RecipeQueries($0).part(part, of: id.digest) }
            }
            guard let stored else { return nil }
            var offset = stored.start
            return stored.entries.map { entry in
                defer { offset += UInt64(entry.length) }
                return (entry, offset)
            }
        }
        var entries: [(entry: RecipeEntry, offset: UInt64)] = []
        while entries.count < 1024 {
            switch cursor.next() {
            case .block(let entry, let offset): entries.append((entry, offset))
            case .page(let page): try await supply(page)
            case .end:
                if entries.isEmpty {
                    try await finish()
                    return nil
                }
                try await keep(entries)
                return entries
            }
        }
        try await keep(entries)
        return entries
    }

    private var isFinished = false

    /// Names the recipe, once its last entries were handed out: until the file is in its place, its own blocks must not be
    /// looked for in it.
    private mutating func finish() async throws {
        if isFinished { return }
        isFinished = true
        let (id, open) = (content.id, spool)
        spool = try await context.onWorker {
            var spool = open
            try spool.finish(id)
            return spool
        }
    }

    private mutating func keep(_ entries: [(entry: RecipeEntry, offset: UInt64)]) async throws {
        if content.id.level == 0 { return }
        let open = spool
        spool = try await context.onWorker {
            var spool = open
            for (entry, _) in entries { try spool.append(entry) }
            return spool
        }
    }

    private mutating func supply(_ page: PageID) async throws {
        let bytes = try await bytes(of: page)
        do {
            try cursor.supply(bytes)
            let read = try RecipePage(decoding: bytes)
            for child in read.children { levels[child.child] = read.level - 1 }
        } catch {
            throw ClientError(.serverCorrupt, "the server sent a damaged recipe: \(error)")
        }
        if !supplied.insert(page).inserted, repeated.count < Self.mostRepeated { repeated[page] = bytes }
    }

    /// How many pages are kept at hand that are wanted again and again; others are asked for each time.
    private static let mostRepeated = 64

    private mutating func bytes(of page: PageID) async throws -> [UInt8] {
        if let bytes = repeated[page] { return bytes }
        if shelf[page] == nil, let level = levels[page] {
            try await ask(ContentID(level: level, digest: page.digest), have: nil)
        }
        guard let bytes = shelf.removeValue(forKey: page) else {
            throw ClientError(.serverCorrupt, "the server does not have the recipe page \(page)")
        }
        return bytes
    }

    private mutating func ask(_ want: ContentID, have old: Content?) async throws {
        var have: ContentID?
        if let old, old.id.level > 0, old.size <= Self.spliceLimit {
            let database = context.database
            let pages = try await context.onWorker { try Self.pages(of: old.id, database) }
            if !pages.isEmpty {
                have = old.id
                shelf = pages
            }
        }
        for page in try await context.server.fetch(pages: [.init(want: want, have: have)]) {
            shelf[PageID(SHA256Hasher.digest(of: page))] = page
        }
    }

    private static func pages(of content: ContentID, _ database: ClientDatabase) throws -> [PageID: [UInt8]] {
        var pages: [PageID: [UInt8]] = [:]
        _ = try database.read {
            try RecipeQueries($0).forEachPage(of: content) { pages[$0.id] = $0.encoded }
        }
        return pages
    }
}
