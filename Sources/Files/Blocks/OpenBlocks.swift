import Blocks
import CoreMetrics
import Logging
import Metadata
import Model
import Storage

/// Reads sealed blocks from the store and opens them.
struct OpenBlocks: Sendable {
    let context: FilesContext

    init(_ context: FilesContext) { self.context = context }

    /// The blocks at these places, in order. Authentic, but not decoded. `subject` is what they are read for, as a message
    /// names it.
    /// - Throws: ``FilesError`` `corruptData` naming the subject and the first block that no region has intact.
    func callAsFunction(_ blocks: [StoredBlock], account: AccountID, for subject: String) async throws -> [EncodedBlock]
    {
        try await run(blocks, account: account, for: subject) { worker, sealed, id, key in
            try sealed.withUnsafeBytes { try worker.sealer(for: account, key: key).open($0, expecting: id) }
        }
    }

    /// The plaintexts of the blocks at these places, in order, verified.
    /// - Throws: as ``callAsFunction(_:account:for:)``.
    func plaintexts(_ blocks: [StoredBlock], account: AccountID, for subject: String) async throws -> [[UInt8]] {
        try await run(blocks, account: account, for: subject) { worker, sealed, id, key in
            let block = try sealed.withUnsafeBytes {
                try worker.sealer(for: account, key: key).open($0, expecting: id)
            }
            return try worker.decoder.decode(block)
        }
    }

    private func run<Value: Sendable>(
        _ blocks: [StoredBlock], account: AccountID, for subject: String,
        _ open: @escaping @Sendable (Worker, [UInt8], BlockID, AccountKey) throws -> Value
    ) async throws -> [Value] {
        guard !blocks.isEmpty else { return [] }
        try await AskThaw(context)(blocks, account: account, for: subject)
        let key = try await context.keys.key(of: account)
        let sealed = try await read(blocks, account, subject)
        let tasks = Array(zip(blocks, sealed))
        let opened = try await context.workers.map(tasks) { worker, task -> Result<Value, BlocksError> in
            do {
                return .success(try open(worker, task.1, task.0.id, key))
            } catch let error as BlocksError {
                return .failure(error)
            }
        }
        return try zip(blocks, opened).map { block, result in
            switch result {
            case .success(let value): return value
            case .failure(let error): throw damaged(block, subject, error.description)
            }
        }
    }

    /// How often blocks may be moved while they are looked up and read.
    private static let attempts = 8

    /// Blocks that were moved to another pack since they were looked up are looked up again.
    private func read(_ blocks: [StoredBlock], _ account: AccountID, _ subject: String) async throws -> [[UInt8]] {
        var blocks = blocks
        for _ in 1..<Self.attempts {
            do {
                return try await context.store.read(blocks.map(\.location))
            } catch let error as StorageError {
                let ids = blocks.map(\.id)
                let places = try await context.database.read { try BlockQueries($0).locations(ids, account: account) }
                let present = blocks.map { places[$0.id] ?? $0 }
                if present == blocks { return try await readEach(blocks, subject, after: error) }
                try await AskThaw(context)(present, account: account, for: subject)
                blocks = present
            }
        }
        return try await context.store.read(blocks.map(\.location))
    }

    private func readEach(
        _ blocks: [StoredBlock], _ subject: String, after error: StorageError
    ) async throws -> [[UInt8]] {
        if Self.isDamage(error) {
            // The store says where the damage is; which block that is, is found by asking for each.
            for block in blocks {
                do {
                    _ = try await context.store.read(block.location)
                } catch let error where Self.isDamage(error) {
                    throw damaged(block, subject, "\(error)")
                }
            }
        }
        throw error
    }

    private static func isDamage(_ error: any Error) -> Bool {
        guard let error = error as? StorageError else { return false }
        return error.code == .corrupt || error.code == .notFound
    }

    private func damaged(_ block: StoredBlock, _ subject: String, _ cause: String) -> FilesError {
        context.metrics.blocksCorrupt.increment()
        context.log.error(
            "a stored block is damaged",
            metadata: [
                "block": "\(block.id)", "place": "\(block.location)", "subject": "\(subject)", "cause": "\(cause)",
            ])
        return FilesError(
            .corruptData, "\(subject): block \(block.id), \(block.location), is damaged and no good copy is left",
            cause: cause)
    }
}

extension StoredBlock {
    /// Where the block lies in the store.
    var location: PackLocation { PackLocation(pack: pack, offset: offset, length: length) }
}
