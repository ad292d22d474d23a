import Blocks
import Metadata
import Model

/// Goes through the blocks of many contents, each page that they share once. No transaction is open for longer than it
/// takes to read a few pages.
struct ContentWalk {
    private let database: any MetadataDatabase
    private let account: AccountID
    private let capacity: Int
    private var visited: Set<PageID> = []

    /// Makes a walk that remembers `capacity` pages; beyond it pages may be gone through again.
    init(_ context: FilesContext, account: AccountID, capacity: Int = 1 << 20) {
        database = context.database
        self.account = account
        self.capacity = capacity
    }

    private static let pagesAtOnce = 64

    /// Calls a body with the blocks of a content, page by page in order, without those of pages that were gone through.
    /// - Throws: ``FilesError`` `corruptData` when a page is not there or is damaged; and what the body throws.
    mutating func visit(_ content: Content, _ body: ([BlockID]) async throws -> Void) async throws {
        guard content.size > 0 else { return }
        try await visit(content.id, body)
    }

    /// Calls a body with the blocks of a content that is not empty.
    /// - Throws: as ``visit(_:_:)``.
    mutating func visit(_ content: ContentID, _ body: ([BlockID]) async throws -> Void) async throws {
        if let block = content.block { return try await body([block]) }
        var level = content.page.map { [$0] } ?? []
        while !level.isEmpty {
            var next: [PageID] = []
            for start in stride(from: 0, to: level.count, by: Self.pagesAtOnce) {
                let part = level[start..<min(start + Self.pagesAtOnce, level.count)].filter { note($0) }
                for page in try await load(part) {
                    if !page.blocks.isEmpty { try await body(page.blocks.map(\.block)) }
                    next += page.children.map(\.child)
                }
            }
            level = next
        }
    }

    private mutating func note(_ page: PageID) -> Bool {
        if visited.count >= capacity { visited.removeAll(keepingCapacity: true) }
        return visited.insert(page).inserted
    }

    private func load(_ ids: [PageID]) async throws -> [RecipePage] {
        if ids.isEmpty { return [] }
        let account = account
        let bytes = try await database.read { try PageQueries($0).load(ids, account: account) }
        return try ids.map { id in
            guard let encoded = bytes[id] else {
                throw FilesError(.corruptData, "page \(id) of a recipe is gone")
            }
            do {
                return try RecipePage(decoding: encoded, expecting: id)
            } catch let error as BlocksError {
                throw FilesError(.corruptData, "page \(id) of a recipe is damaged", cause: error.description)
            }
        }
    }
}
