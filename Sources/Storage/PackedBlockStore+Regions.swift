import Model
import Synchronization

extension PackedBlockStore {
    /// Calls one region, counting a failure.
    func call<Answer: Sendable>(
        _ region: Int, _ body: (any PackRegion) async throws -> Answer
    ) async throws(StorageError) -> Answer {
        do {
            return try await body(regions[region])
        } catch {
            let failure = StorageError(any: error, in: regions[region])
            countFailure(region)
            throw failure
        }
    }

    /// Calls regions at the same time; answers the failures by region.
    func onRegions(
        _ indices: [Int], _ body: @escaping @Sendable (any PackRegion) async throws -> Void
    ) async -> [Int: StorageError] {
        let failures = await regions.each(indices, body)
        for region in failures.keys { countFailure(region) }
        return failures
    }

    private func countFailure(_ region: Int) {
        state.withLock { $0.statistics.regionFailures[regions[region].name, default: 0] += 1 }
    }

    /// The error to throw when regions have failed: the one that tells an operator most.
    func failure(of failures: [Int: StorageError]) -> StorageError {
        let ordered = failures.sorted { $0.key < $1.key }
        for code in [StorageError.Code.full, .readOnly, .inUse] {
            if let found = ordered.first(where: { $0.value.code == code }) { return found.value }
        }
        guard let (region, error) = ordered.first else {
            preconditionFailure("a failure needs a region that failed")
        }
        if regions.count == 1 { return error }
        return StorageError(
            .unavailable, "region \(regions[region].name) failed, and \(minimumCopies) copies are required",
            cause: error.description)
    }
}

extension [any PackRegion] {
    /// Calls some of the regions at the same time; answers the failures by index.
    func each(
        _ indices: [Int], _ body: @escaping @Sendable (any PackRegion) async throws -> Void
    ) async -> [Int: StorageError] {
        if indices.count == 1 {
            return await attempt(indices[0], body).map { [indices[0]: $0] } ?? [:]
        }
        return await withTaskGroup(of: (Int, StorageError?).self) { group in
            for index in indices {
                group.addTask { (index, await self.attempt(index, body)) }
            }
            var failures: [Int: StorageError] = [:]
            for await (index, failure) in group { failures[index] = failure }
            return failures
        }
    }

    private func attempt(
        _ index: Int, _ body: (any PackRegion) async throws -> Void
    ) async -> StorageError? {
        do {
            try await body(self[index])
            return nil
        } catch {
            return StorageError(any: error, in: self[index])
        }
    }
}

extension StorageError {
    /// Takes what a region threw for what it is; a foreign error is an `io`.
    init(any error: any Error, in region: any PackRegion) {
        self =
            error as? StorageError
            ?? StorageError(.io, "region \(region.name) failed", cause: String(describing: error))
    }
}
