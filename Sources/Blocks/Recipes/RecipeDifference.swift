public import Model

/// Finds what a recipe has that an older one lacks.
public enum RecipeDifference {
    /// The pages of a content that an older one does not have, parents before children, each once.
    ///
    /// - Parameters:
    ///   - new: The content to describe.
    ///   - old: What the reader has already; nil for nothing.
    ///   - fetch: The encoded bytes of a page, of either content.
    /// - Returns: The pages.
    /// - Throws: ``BlocksError`` `hashMismatch` or `corruptPage` for pages that are not what they should be, and what
    ///   `fetch` throws.
    /// - Complexity: As ``visitNewPages(of:since:fetch:visit:)``, and all those pages in memory.
    public static func newPages(
        of new: ContentID, since old: ContentID?, fetch: (PageID) throws -> [UInt8]
    ) throws -> [RecipePage] {
        var pages: [RecipePage] = []
        try visitNewPages(of: new, since: old, fetch: fetch) { pages.append($0) }
        return pages
    }

    /// Hands out the pages of a content that an older one does not have, parents before children, each once.
    ///
    /// Equal pages are not looked into. So a page that the older content has only elsewhere, within a part that both
    /// share, may be handed out although it is not new; none that is new is ever left out.
    /// - Parameters:
    ///   - new: The content to describe.
    ///   - old: What the reader has already; nil for nothing.
    ///   - fetch: The encoded bytes of a page, of either content.
    ///   - visit: Takes a page.
    /// - Throws: As ``newPages(of:since:fetch:)`` does, and what `visit` throws.
    /// - Complexity: Reads the pages handed out, and of the older content at most a few times as many.
    public static func visitNewPages(
        of new: ContentID, since old: ContentID?, fetch: (PageID) throws -> [UInt8], visit: (RecipePage) throws -> Void
    ) throws {
        guard new != old, let root = new.page else { return }
        var fresh = [root]
        var stale: [PageID] = []
        for level in (1...max(new.level, old?.level ?? 0)).reversed() {
            if let old, level == old.level, let page = old.page { stale = [page] }
            if level > new.level {
                // The new content can only share what lies at the ends of so much more.
                stale = try children(of: unique(stale.prefix(2) + stale.suffix(2)), level, fetch)
                continue
            }
            let unshared = unshared(fresh, stale)
            fresh = []
            for id in unshared.new {
                let page = try load(id, level, fetch)
                try visit(page)
                fresh += page.children.map(\.child)
            }
            stale = level > 1 ? try children(of: unshared.old, level, fetch) : []
        }
    }

    /// What of a level is only in the new content, and the pages that only the old one has and whose children it may
    /// share.
    ///
    /// Those are not all that went: after a large cut they would be many. New pages are made of what lay around them.
    private static func unshared(_ new: [PageID], _ old: [PageID]) -> (new: [PageID], old: [PageID]) {
        let (inNew, inOld) = (Set(new), Set(old))
        let fresh = unique(new.filter { !inOld.contains($0) })
        let beside = beside(new, old)
        return (fresh, unique(old.filter { beside.contains($0) && !inNew.contains($0) }))
    }

    /// The pages of `old` at the places where `new` has others: as many, and one more, from either end of each such
    /// place.
    private static func beside(_ new: [PageID], _ old: [PageID]) -> Set<PageID> {
        let places = Dictionary(zip(old, old.indices)) { first, _ in first }
        var found: Set<PageID> = []
        var start = 0
        while start < new.count {
            let end = new[start...].firstIndex { places[$0] != nil } ?? new.count
            if end > start {
                let reach = end - start + 1
                let after = start > 0 ? places[new[start - 1]].map { $0 + 1 } ?? 0 : 0
                let before = end < new.count ? places[new[end]] ?? old.count : old.count
                found.formUnion(old[after...].prefix(reach))
                found.formUnion(old[..<before].suffix(reach))
            }
            start = end + 1
        }
        return found
    }

    private static func unique(_ pages: [PageID]) -> [PageID] {
        var seen: Set<PageID> = []
        return pages.filter { seen.insert($0).inserted }
    }

    private static func children(
        of pages: [PageID], _ level: UInt8, _ fetch: (PageID) throws -> [UInt8]
    ) throws -> [PageID] {
        try pages.flatMap { try load($0, level, fetch).children.map(\.child) }
    }

    private static func load(
        _ id: PageID, _ level: UInt8, _ fetch: (PageID) throws -> [UInt8]
    ) throws -> RecipePage {
        let page = try RecipePage(decoding: fetch(id), expecting: id)
        guard page.level == level else {
            throw BlocksError(.corruptPage, "page \(id) has level \(page.level), where \(level) is expected")
        }
        return page
    }
}
