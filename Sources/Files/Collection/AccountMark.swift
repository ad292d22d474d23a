import Blocks
import Metadata
import Model

/// Finds what an account needs: everything below the contents of the versions that it keeps and of the uploads that are on
/// their way.
///
/// It reads in short transactions, so it sees no single state of the database. What it is sure to find is what was needed
/// when it began and still is. Whatever comes to be needed while it runs is taken out of what is condemned by those who
/// name it. Versions that are thinned meanwhile count as kept: what they share with a version that is made of them behind
/// the back of the mark is found through them.
struct AccountMark: Sendable {
    let turn: CollectionTurn
    let account: AccountID
    private(set) var live: LiveSet
    /// Pages that need not be read again. Bounded: forgetting them costs only time.
    private var visited: Set<PageID> = []
    private let thinnedSince: Timestamp

    /// Begins a mark now.
    init(_ turn: CollectionTurn, of account: AccountID, in range: DigestRange) {
        self.turn = turn
        self.account = account
        live = LiveSet(range)
        thinnedSince = turn.context.clock.now().advanced(by: .zero - turn.limits.clockSlack)
    }

    /// Whether there are more than are to be held at once; then the mark is of no use.
    var isFull: Bool { live.count > turn.limits.live }

    /// Goes through all that keeps something.
    /// - Throws: ``FilesError`` `corruptData` when a page of a version is missing or damaged: what is below it is not
    ///   known, so nothing may be removed.
    mutating func run() async throws {
        let account = account
        let namespaces = try await turn.read { try NamespaceQueries($0).all(visibleTo: account) }
        var thinning: [NamespaceID] = []
        for namespace in namespaces {
            if try await markVersions(of: namespace) { thinning.append(namespace) }
        }
        // What may be incomplete comes last: a page that it has visited is not looked into again.
        for namespace in thinning { try await markThinned(in: namespace) }
        for namespace in namespaces { try await markUploads(of: namespace) }
    }

    /// The versions that are kept.
    /// - Returns: whether any was thinned since the mark began, or shortly before.
    private mutating func markVersions(of namespace: NamespaceID) async throws -> Bool {
        var isThinned = false
        var last: ContentRoot?
        while !isFull {
            let rows = try await roots(namespace, last)
            if rows.contains(where: { $0.thinned.map { $0 >= thinnedSince } ?? false }) { isThinned = true }
            try await walk(rows.filter { $0.thinned == nil }.compactMap(\.content), of: "a version", isWhole: true)
            guard rows.count == turn.limits.rows else { break }
            last = rows.last
        }
        return isThinned
    }

    /// The versions that were thinned since the mark began, or shortly before.
    private mutating func markThinned(in namespace: NamespaceID) async throws {
        var last: ContentRoot?
        while !isFull {
            let rows = try await roots(namespace, last)
            let recent = rows.filter { $0.thinned.map { $0 >= thinnedSince } ?? false }
            try await walk(recent.compactMap(\.content), of: "a thinned version", isWhole: false)
            guard rows.count == turn.limits.rows else { break }
            last = rows.last
        }
    }

    private func roots(_ namespace: NamespaceID, _ last: ContentRoot?) async throws -> [ContentRoot] {
        let limit = turn.limits.rows
        return try await turn.read { try CollectionQueries($0).roots(in: namespace, after: last, limit: limit) }
    }

    /// The uploads that are on their way. Their pages may not all be here.
    private mutating func markUploads(of namespace: NamespaceID) async throws {
        var last: PendingChangeSet?
        while !isFull {
            let previous = last
            let uploads = try await turn.read {
                try CollectionQueries($0).pendingChangeSets(
                    in: namespace, after: previous, limit: Self.uploadsAtOnce)
            }
            for upload in uploads {
                let contents = try ChangeSet.decode(upload.changes).compactMap { $0.state?.payload.content }
                try await walk(contents, of: "upload \(upload.upload)", isWhole: false)
            }
            guard uploads.count == Self.uploadsAtOnce else { break }
            last = uploads.last
        }
    }

    private static let uploadsAtOnce = 8

    /// Notes what is below some contents: the pages that were not visited, and their blocks.
    private mutating func walk(_ contents: [Content], of what: String, isWhole: Bool) async throws {
        var wanted: [PageID] = []
        for content in contents where content.size > 0 {
            if let block = content.id.block { live.insert(block) }
            if let page = content.id.page { visit(page, &wanted) }
        }
        let (account, most) = (account, turn.limits.pages)
        while !wanted.isEmpty, !isFull {
            // The deepest first, so that few wait.
            let part = Array(wanted.suffix(most))
            wanted.removeLast(part.count)
            let loaded = try await turn.read { try PageQueries($0).load(part, account: account) }
            for id in part {
                guard let bytes = loaded[id] else {
                    if !isWhole { continue }
                    throw FilesError(.corruptData, "account \(account): page \(id) of \(what) is missing")
                }
                try take(bytes, id, &wanted)
            }
        }
    }

    private mutating func take(_ bytes: [UInt8], _ id: PageID, _ wanted: inout [PageID]) throws {
        let page: RecipePage
        do {
            page = try RecipePage(decoding: bytes, expecting: id)
        } catch let error as BlocksError {
            throw FilesError(.corruptData, "account \(account): page \(id) is damaged", cause: error.description)
        }
        for entry in page.blocks { live.insert(entry.block) }
        for entry in page.children { visit(entry.child, &wanted) }
    }

    private mutating func visit(_ page: PageID, _ wanted: inout [PageID]) {
        if visited.count >= turn.limits.visited { visited.removeAll(keepingCapacity: true) }
        guard visited.insert(page).inserted else { return }
        live.insert(page)
        wanted.append(page)
    }
}
