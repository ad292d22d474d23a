import Model
import Storage

/// Stands for the packs in a process whose roles need none.
struct AbsentBlockStore: MaintainedBlockStore {
    private var refusal: StorageError {
        StorageError(.unavailable, "this process keeps no packs: it lacks the roles for it")
    }

    var statistics: StorageStatistics { StorageStatistics() }

    func append(_ records: [[UInt8]]) async throws -> [PackLocation] { throw refusal }

    func read(_ location: PackLocation) async throws -> [UInt8] { throw refusal }

    func read(_ locations: [PackLocation]) async throws -> [[UInt8]] { throw refusal }

    func repair(_ location: PackLocation, with bytes: [UInt8]) async throws { throw refusal }

    func packs() async throws -> [PackSummary] { throw refusal }

    func scan(_ pack: PackID, _ visit: @Sendable (PackRecord) throws -> Void) async throws { throw refusal }

    func scan(
        _ pack: PackID, pace: @Sendable (Int) async throws -> Void, visit: @Sendable (PackRecord) throws -> Void
    ) async throws { throw refusal }

    func delete(_ pack: PackID) async throws { throw refusal }

    func repairMissing() async throws -> Int { 0 }

    func check() async throws { throw refusal }

    func close() async throws {}
}
