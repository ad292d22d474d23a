import Blocks
import Model

/// Fetches blocks in batches, a few on their way at a time, and writes each to all places where it is wanted. Every
/// block is verified by its hash on a worker thread before a byte of it is written.
struct BlockFetcher {
    let context: EngineContext
    /// Learns of files that have to wait for the server's archive.
    var thawing = ThawingFiles()

    /// Most blocks of one request.
    static let batchCount = 4096

    /// Fetches one batch.
    func fetch(_ wanted: [WantedBlock]) async throws {
        var places: [BlockID: [WantedBlock]] = [:]
        for block in wanted { places[block.entry.block, default: []].append(block) }
        let names = places.keys.sorted()
        let (blocks, wait) = try await fetchWhatIsHot(names)
        if let wait {
            let found = Set(blocks.map(\.id))
            thawing.note(wanted.filter { !found.contains($0.entry.block) }.map(\.target.node), wait)
        }
        context.counter.add(blocks.count, to: \.blocksFetched)
        context.counter.add(wanted.count - names.count, to: \.blocksReused)
        try await context.workers.run { [places] worker in
            for block in blocks { try write(block, to: places[block.id] ?? [], with: worker.decoder) }
        }
        context.progress.advance(bytes: wanted.reduce(0) { $0 + UInt64($1.entry.length) })
        try context.step(.blocksFetched)
    }

    /// Fetches blocks; those that lie in the server's archive are left out, and the error says how long they take. By asking
    /// for them they were asked for.
    private func fetchWhatIsHot(_ names: [BlockID]) async throws -> (blocks: [EncodedBlock], wait: ClientError?) {
        do {
            return (try await fetchAll(names), nil)
        } catch let error as ClientError where error.code == .thawing {
            // What lies in the archive counts as missing there, so that the others can be told.
            let cold = Set(try await context.server.missing(of: names))
            let hot = names.filter { !cold.contains($0) }
            return (hot.isEmpty || cold.isEmpty ? [] : try await fetchAll(hot), error)
        }
    }

    /// Fetches blocks. A server may have a lower bound on an answer than we expect, or lack one of the blocks: then the
    /// halves are asked for, and what it can't give is left out, so that only the files that need it have to wait.
    private func fetchAll(_ names: [BlockID]) async throws -> [EncodedBlock] {
        do {
            return try await context.server.fetch(blocks: names)
        } catch let error as ClientError where Self.concernsOneBlock.contains(error.code) {
            if names.count == 1 { return [] }
            let middle = names.count / 2
            return try await fetchAll(Array(names[..<middle])) + fetchAll(Array(names[middle...]))
        }
    }

    private static let concernsOneBlock: Set<ClientError.Code> = [.tooLarge, .notOnServer, .serverCorrupt]

    private func write(_ block: EncodedBlock, to places: [WantedBlock], with decoder: BlockDecoder) throws {
        // A damaged block is left out like one that is not there: no byte of it gets into a file.
        guard let bytes = try? decoder.decode(block) else { return }
        try bytes.withUnsafeBytes { plain in
            for place in places where plain.count == Int(place.entry.length) {
                try place.target.write(plain, at: place.offset)
            }
        }
    }
}
