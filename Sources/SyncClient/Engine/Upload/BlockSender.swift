import Blocks
import Model
import WireProtocol

/// Sends blocks of local files: read and compressed on worker threads, in batches, a few of them on the way at a time.
struct BlockSender {
    let context: EngineContext
    let folder: LinkedFolder

    /// Sends blocks; they are durable when it returns.
    /// - Returns: What became of the upload, where the server's answers said so.
    /// - Throws: ``ClientError``; `unstable` when a file is no longer what its recipe says.
    func send(_ locations: [BlockLocation], of upload: UploadID) async throws -> UploadOutcome? {
        var batches = Self.batches(locations, length: context.limits.batchLength)[...]
        return try await withThrowingTaskGroup(of: UploadOutcome?.self) { group in
            var outcome: UploadOutcome?
            for _ in 0..<context.limits.requests {
                guard let batch = batches.popFirst() else { break }
                group.addTask { try await send(batch, upload) }
            }
            while let answer = try await group.next() {
                outcome = answer ?? outcome
                try context.step(.blocksSent)
                if let batch = batches.popFirst() { group.addTask { try await send(batch, upload) } }
            }
            return outcome
        }
    }

    private func send(_ batch: ArraySlice<BlockLocation>, _ upload: UploadID) async throws -> UploadOutcome? {
        let blocks = try await context.workers.run { try encode(batch, with: $0.encoder) }
        let answer = try await context.server.store(blocks: blocks, of: upload)
        context.counter.add(blocks.count, to: \.blocksSent)
        context.progress.advance(bytes: blocks.reduce(0) { $0 + UInt64($1.length) })
        return answer.outcome
    }

    /// Reads and compresses blocks; each file is opened once, and looked at again after its last block.
    func encode(_ batch: ArraySlice<BlockLocation>, with encoder: BlockEncoder) throws -> [EncodedBlock] {
        var blocks: [EncodedBlock] = []
        var open: (file: ContentFile, handle: OpenFile)?
        for location in batch {
            if open?.file != location.file {
                try open.map { try $0.file.check($0.handle) }
                open = (location.file, try location.file.open(in: folder))
            }
            guard let handle = open?.handle else { continue }
            let bytes = try location.file.read(location.entry, at: location.offset, from: handle)
            let name = try? NodeName(bytes: location.file.path.lastName)
            blocks.append(
                bytes.withUnsafeBytes { plain in
                    encoder.encode(
                        plain, id: location.entry.block, as: CompressionPolicy.fast.choose(name: name, sample: plain))
                })
        }
        try open.map { try $0.file.check($0.handle) }
        return blocks
    }

    private static func batches(_ locations: [BlockLocation], length most: Int) -> [ArraySlice<BlockLocation>] {
        var batches: [ArraySlice<BlockLocation>] = []
        var start = 0
        var length = 0
        for (index, location) in locations.enumerated() {
            if length + Int(location.entry.length) > most || index - start >= WireLimits.maximumBlocks,
                index > start
            {
                batches.append(locations[start..<index])
                start = index
                length = 0
            }
            length += Int(location.entry.length)
        }
        if start < locations.count { batches.append(locations[start...]) }
        return batches
    }
}
