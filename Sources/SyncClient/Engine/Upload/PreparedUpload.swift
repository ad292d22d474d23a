import Blocks
import Model

/// Changes that are to be one commit, with what of their contents the server may lack.
struct PreparedUpload: Sendable {
    /// A content too large to be announced whole: its recipe and blocks go ahead of the commit, in windows.
    struct LargeContent: Hashable, Sendable {
        let file: ContentFile
        let content: Content
        /// What the server has of an older version; nil for nothing.
        let old: ContentID?
    }

    /// In the link's own terms.
    var changes: [NodeChange] = []
    /// New recipe pages, each after those below it.
    var pages: [[UInt8]] = []
    /// Blocks that ride along: small, and likely new.
    var blocks: [EncodedBlock] = []
    /// Where the blocks are that do not ride along.
    var locations: [BlockID: BlockLocation] = [:]
    var large: [LargeContent] = []
    /// Every file whose content is to be sent, with the content.
    var contents: [(file: ContentFile, content: Content)] = []
    /// Plaintext bytes that may have to be sent.
    var bytes: UInt64 = 0
    /// Bytes of ``blocks`` as they travel.
    var inlineBytes = 0
    /// Blocks that the server has for sure.
    var known = 0

    /// Whether no other group may join.
    func isFull(_ limits: EngineLimits) -> Bool {
        changes.count >= limits.changesInCommit || inlineBytes >= Self.mostInline || bytes >= Self.mostBytes
            || pages.count >= Self.mostPages || !large.isEmpty
    }

    /// Takes in what another group needs.
    mutating func append(_ other: PreparedUpload) {
        changes += other.changes
        pages += other.pages
        large += other.large
        contents += other.contents
        bytes += other.bytes
        known += other.known
        for block in other.blocks where locations[block.id] == nil {
            blocks.append(block)
            inlineBytes += block.payload.count
        }
        locations.merge(other.locations) { first, _ in first }
    }

    private static let mostInline = 8 << 20
    private static let mostBytes: UInt64 = 256 << 20
    private static let mostPages = 1024
}
