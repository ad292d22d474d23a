public import Model

/// Goes through the blocks of a content in order, asking for pages as it needs them: a state machine without any I/O.
///
/// Call ``next()``; when it answers `page`, get those bytes, by whatever means, and hand them to ``supply(_:)``. At
/// most one page of each level is held.
public struct RecipeCursor {
    /// What comes next.
    public enum Step: Hashable, Sendable {
        /// This page is needed.
        case page(PageID)
        /// A block, and where in the content it begins.
        case block(RecipeEntry, offset: UInt64)
        /// There are no more blocks.
        case end
    }

    private struct Wanted {
        let id: PageID
        let level: UInt8
        let size: UInt64
        let offset: UInt64
    }

    private enum Found {
        case block(RecipeEntry, offset: UInt64)
        case page(Wanted)
    }

    private struct Frame {
        let page: RecipePage
        var index = 0
        var offset: UInt64

        /// The next entry of the page that does not lie wholly before `start`; nil at the end of the page.
        mutating func advance(to start: UInt64) -> Found? {
            switch page.entries {
            case .blocks(let blocks):
                while index < blocks.count {
                    let (entry, begin) = (blocks[index], pass(UInt64(blocks[index].length)))
                    if offset > start { return .block(entry, offset: begin) }
                }
            case .pages(let pages):
                while index < pages.count {
                    let (entry, begin) = (pages[index], pass(pages[index].size))
                    if offset > start {
                        return .page(Wanted(id: entry.child, level: page.level - 1, size: entry.size, offset: begin))
                    }
                }
            }
            return nil
        }

        /// Goes on to the next entry; returns where this one begins.
        private mutating func pass(_ size: UInt64) -> UInt64 {
            defer {
                index += 1
                offset += size
            }
            return offset
        }
    }

    private let start: UInt64
    private var single: RecipeEntry?
    private var wanted: Wanted?
    private var frames: [Frame] = []

    /// Makes a cursor.
    /// - Parameters:
    ///   - content: What to go through.
    ///   - start: Where to begin, in bytes: the first block is the one that holds this byte.
    /// - Throws: ``BlocksError`` `tooLarge` for a content that says it is one block, but is longer than any.
    public init(_ content: Content, from start: UInt64 = 0) throws {
        self.start = start
        guard start < content.size else { return }
        if let page = content.id.page {
            wanted = Wanted(id: page, level: content.id.level, size: content.size, offset: 0)
            return
        }
        guard content.size <= BlockLimits.maximumBlockLength else {
            throw BlocksError(.tooLarge, "content \(content.id) is one block of \(content.size) bytes")
        }
        single = RecipeEntry(block: BlockID(content.id.digest), length: UInt32(content.size))
    }

    /// What comes next. As long as a page is needed and not supplied, the answer is that page.
    public mutating func next() -> Step {
        if let wanted { return .page(wanted.id) }
        if let single {
            self.single = nil
            return .block(single, offset: 0)
        }
        while !frames.isEmpty {
            switch frames[frames.count - 1].advance(to: start) {
            case .block(let entry, let offset): return .block(entry, offset: offset)
            case .page(let page):
                wanted = page
                return .page(page.id)
            case nil: frames.removeLast()
            }
        }
        return .end
    }

    /// Takes the page that was asked for.
    /// - Throws: ``BlocksError`` `hashMismatch` for another one, `corruptPage` when it can't be read or has another
    ///   level or size than its parent says. The cursor still wants the page then.
    public mutating func supply(_ encoded: [UInt8]) throws {
        guard let wanted else { preconditionFailure("no page was asked for") }
        let page = try RecipePage(decoding: encoded, expecting: wanted.id)
        guard page.level == wanted.level, page.size == wanted.size else {
            throw BlocksError(
                .corruptPage,
                "page \(wanted.id) has level \(page.level) and \(page.size) bytes below it, not level "
                    + "\(wanted.level) and \(wanted.size)")
        }
        frames.append(Frame(page: page, offset: wanted.offset))
        self.wanted = nil
    }
}
