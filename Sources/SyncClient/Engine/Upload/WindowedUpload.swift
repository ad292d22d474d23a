import Blocks
import Model

/// Sends the recipe and the blocks of a large content ahead of its commit, window by window, so that memory stays the
/// same whatever the size of the file.
struct WindowedUpload {
    let context: EngineContext
    let sender: BlockSender
    let id: UploadID
    let content: PreparedUpload.LargeContent

    /// Most pages that are sent at once.
    private static let windowPages = 512

    func run() async throws {
        var stream = PageStream(try await context.onWorker { try splice() })
        var part: Int64 = 0
        while true {
            let number = part
            guard let entries = try await context.onWorker({ try entries(number) }) else { break }
            for entry in entries {
                stream.append(entry)
                if stream.bytes >= context.limits.windowLength || stream.pages.count >= Self.windowPages {
                    try await send(&stream)
                }
            }
            part += 1
        }
        guard stream.finish() == content.content else {
            throw ClientError(.unstable, "the recipe of '\(content.file.path)' is gone: the file is read again")
        }
        try await send(&stream)
        context.counter.add(stream.known, to: \.blocksKnown)
    }

    private func splice() throws -> RecipeSplice {
        try context.database.read {
            try RecipeSplice(of: content.content.id, since: content.old, RecipeQueries($0))
        }
    }

    private func entries(_ part: Int64) throws -> [RecipeEntry]? {
        try context.database.read { try RecipeQueries($0).part(part, of: content.content.id.digest)?.entries }
    }

    private func send(_ stream: inout PageStream) async throws {
        if stream.pages.isEmpty { return }
        let missing = Set(try await context.server.store(pages: stream.pages.map(\.encoded), of: id))
        try context.step(.windowSent)
        var seen: Set<BlockID> = []
        let locations = stream.blocks.compactMap { entry, offset in
            missing.contains(entry.block) && seen.insert(entry.block).inserted
                ? BlockLocation(file: content.file, entry: entry, offset: offset) : nil
        }
        context.counter.add(stream.blocks.count - locations.count, to: \.blocksKnown)
        _ = try await sender.send(locations, of: id)
        stream.clear()
    }
}
