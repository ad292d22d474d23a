import Blocks
import Metadata
import Model
import Storage

/// Verifies blocks, seals those that are new, and makes them durable: all of a request with one append.
struct SealBlocks: Sendable {
    let context: FilesContext

    init(_ context: FilesContext) { self.context = context }

    /// Answers with the places of the blocks that are not in `present`, which are durable now but not yet noted.
    /// - Throws: ``FilesError``: `hashMismatch` or `tooLarge` for a block whose bytes are not what its name says,
    ///   `quotaExceeded` when some are new and the account is full.
    func callAsFunction(
        _ blocks: [EncodedBlock], present: Set<BlockID>, account: AccountID
    ) async throws -> [StoredBlock] {
        guard !blocks.isEmpty else { return [] }
        if !blocks.allSatisfy({ present.contains($0.id) }) { try await context.quotas.check(account) }
        let key = try await context.keys.key(of: account)
        var seen = present
        let tasks = blocks.map { (block: $0, isNew: seen.insert($0.id).inserted) }
        let sealed = try await context.workers.map(tasks) { worker, task -> [UInt8]? in
            guard task.isNew else {
                try worker.verify(task.block)
                return nil
            }
            return try worker.seal(task.block, account: account, key: key)
        }
        let records = sealed.compactMap { $0 }
        let fresh = tasks.filter(\.isNew).map(\.block)
        let locations = records.isEmpty ? [] : try await context.store.append(records)
        context.quotas.added(records.reduce(0) { $0 + $1.count }, to: account)
        context.metrics.stored(
            fresh.count, bytes: records.reduce(0) { $0 + $1.count }, known: blocks.count - fresh.count)
        return zip(fresh, locations).map { block, location in
            StoredBlock(
                id: block.id, plainLength: UInt32(block.length), pack: location.pack, offset: location.offset,
                length: location.length)
        }
    }
}
