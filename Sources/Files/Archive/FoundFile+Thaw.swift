import Blocks
import Metadata
import Model

extension FoundFile {
    private static let blocksAtOnce = 4096

    /// Looks through a range before anything of it is sent: an answer that has begun can't say that the rest has to thaw.
    /// An account with nothing in the archive is spared it.
    /// - Throws: ``FilesError`` `thawing` when a block of the range lies in the archive, `corruptData` for a damaged recipe.
    func ensureHot(_ range: Range<UInt64>) async throws {
        guard context.archive != nil, !range.isEmpty else { return }
        let account = account
        guard try await context.database.read({ try ArchiveQueries($0).hasAny(account) }) else { return }
        var start = range.lowerBound
        while start < range.upperBound {
            let part = try await part(start..<range.upperBound)
            try await AskThaw(context)(
                part.blocks, of: content.id, account: account, device: device, for: "file \(path)")
            start = part.end
        }
    }

    private func part(_ range: Range<UInt64>) async throws -> (blocks: [StoredBlock], end: UInt64) {
        let (account, path, content) = (account, path, content)
        do {
            return try await context.database.read { connection in
                var ids: [BlockID] = []
                var end = range.upperBound
                try RecipeWalker().entries(of: content, from: range.lowerBound) { page in
                    guard let bytes = try PageQueries(connection).load(page, account: account) else {
                        throw FilesError(.corruptData, "file \(path): page \(page) of its recipe is gone")
                    }
                    return bytes
                } body: { entry, offset in
                    ids.append(entry.block)
                    end = offset + UInt64(entry.length)
                    return end < range.upperBound && ids.count < Self.blocksAtOnce
                }
                return (Array(try BlockQueries(connection).locations(ids, account: account).values), end)
            }
        } catch let error as BlocksError {
            throw FilesError(.corruptData, "file \(path): its recipe is damaged", cause: error.description)
        }
    }
}
