import Blocks
import Metadata
import Model

/// Finds the pages and blocks of an account that no kept version of a file names.
///
/// They do no harm: a collection takes them, unless an upload that is under way comes to name them.
struct FindOrphans: Sendable {
    let setting: CheckSetting
    let account: AccountID
    let namespaces: [NamespaceID]
    /// How many blocks are held in memory at once: where there are more, the recipes are gone through several times.
    var share = 1 << 20

    private static let step = 500

    func callAsFunction(_ memo: PageMemo) async throws {
        guard !memo.isBroken else {
            var finding = CheckFinding(
                .unchecked, .note,
                "orphans of account \(account) were not looked for: recipes are damaged, so nobody knows what they named"
            )
            finding.account = account
            setting.tell(finding)
            return
        }
        let account = account
        let blocks = try await setting.database.read { try CheckQueries($0).blockCount(of: account) }
        let parts = UInt64(max(1, (blocks + share - 1) / share))
        for part in 0..<parts {
            // Ids are spread evenly: parts of equal width hold about as many.
            let range = Self.bound(part, of: parts)..<Self.bound(part + 1, of: parts)
            let used = try await usedBlocks(range, isFirst: part == 0, isLast: part + 1 == parts, memo)
            try await tellBlocks(range, isFirst: part == 0, isLast: part + 1 == parts, used)
        }
    }

    /// Where a part begins, as the first word of an id; the end of the last is never looked at.
    private static func bound(_ part: UInt64, of parts: UInt64) -> UInt64 {
        part >= parts ? .max : UInt64.max / parts * part
    }

    private static func holds(_ range: Range<UInt64>, _ block: BlockID, isLast: Bool) -> Bool {
        let word = block.digest.words.0
        return word >= range.lowerBound && (isLast || word < range.upperBound)
    }

    /// The blocks of a part that are named; tells of pages that are not, on the first way through.
    private func usedBlocks(
        _ range: Range<UInt64>, isFirst: Bool, isLast: Bool, _ memo: PageMemo
    ) async throws -> Set<BlockID> {
        var used: Set<BlockID> = []
        var last: PageID?
        let account = account
        while true {
            let start = last
            let pages = try await setting.database.read {
                try CheckQueries($0).pages(of: account, after: start, limit: Self.step)
            }
            for page in pages {
                guard memo.isReached(page.id) else {
                    if isFirst { tellPage(page.id, page.bytes.count) }
                    continue
                }
                for entry in try RecipePage(decoding: page.bytes, expecting: page.id).blocks
                where Self.holds(range, entry.block, isLast: isLast) {
                    used.insert(entry.block)
                }
            }
            last = pages.last?.id
            if pages.count < Self.step { break }
        }
        for namespace in namespaces { try await addSingle(in: namespace, range, isLast: isLast, &used) }
        return used
    }

    /// Adds the blocks of files that are one block.
    private func addSingle(
        in namespace: NamespaceID, _ range: Range<UInt64>, isLast: Bool, _ used: inout Set<BlockID>
    ) async throws {
        var last: KeptFile?
        while true {
            let start = last
            let files = try await setting.database.read {
                try CheckQueries($0).keptFiles(in: namespace, after: start, limit: Self.step)
            }
            for block in files.compactMap(\.content.id.block) where Self.holds(range, block, isLast: isLast) {
                used.insert(block)
            }
            last = files.last
            if files.count < Self.step { return }
        }
    }

    private func tellBlocks(
        _ range: Range<UInt64>, isFirst: Bool, isLast: Bool, _ used: Set<BlockID>
    ) async throws {
        let first = Digest(words: (range.lowerBound, 0, 0, 0))
        let highest = isLast ? UInt64.max : range.upperBound - 1
        let end = BlockID(Digest(words: (highest, .max, .max, .max)))
        // Behind the last id of the part before.
        var last = isFirst ? nil : BlockID(Digest(words: (first.words.0 - 1, .max, .max, .max)))
        let account = account
        while true {
            let start = last
            let blocks = try await setting.database.read {
                try CheckQueries($0).blocks(of: account, after: start, upTo: end, limit: Self.step)
            }
            for block in blocks where !used.contains(block.id) { tell(block) }
            last = blocks.last?.id
            if blocks.count < Self.step { return }
        }
    }

    private func tell(_ block: StoredBlock) {
        var finding = CheckFinding(
            .orphanBlock, .note, "no kept version names block \(block.id), \(block.location)")
        (finding.account, finding.block, finding.pack) = (account, block.id, block.pack)
        (finding.offset, finding.bytes) = (block.offset, UInt64(block.length))
        setting.tell(finding)
    }

    private func tellPage(_ page: PageID, _ bytes: Int) {
        var finding = CheckFinding(.orphanPage, .note, "no kept version names page \(page)")
        (finding.account, finding.bytes) = (account, UInt64(bytes))
        setting.tell(finding)
    }
}
