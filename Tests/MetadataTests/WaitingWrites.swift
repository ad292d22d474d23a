import Metadata
import MetadataConformance
import MetadataSQLite
import Model
import TestSupport

extension SQLiteMetadataDatabase {
    /// Starts writes while the connection is held, so that they wait together, then lets all of them run.
    /// - Parameters:
    ///   - writes: what is to wait, in any order.
    ///   - whileHeld: runs when all wait.
    /// - Returns: what became of the writes, in their order.
    /// - Throws: what the holder or `whileHeld` throws.
    func together<T: Sendable>(
        _ writes: [@Sendable (any MetadataConnection) throws -> T],
        whileHeld: () async throws -> Void = {}
    ) async throws -> [Result<T, any Error>] {
        let gate = Gate()
        return try await withThrowingTaskGroup(of: (Int, Result<T, any Error>)?.self) { group in
            group.addTask {
                try await self.write { _ in gate.wait() }
                return nil
            }
            await gate.waitUntilEntered()
            for (index, body) in writes.enumerated() {
                group.addTask {
                    do { return (index, .success(try await self.write(body))) } catch {
                        return (index, .failure(error))
                    }
                }
                // One after the other, so that they stand in the queue in their order.
                while waitingWrites <= index { await Task.yield() }
            }
            try await whileHeld()
            gate.open()
            var results: [Int: Result<T, any Error>] = [:]
            for try await case (let index, let result)? in group { results[index] = result }
            return writes.indices.compactMap { results[$0] }
        }
    }
}

/// A body that commits one new file to the home.
func commitBody(_ number: UInt64) -> @Sendable (any MetadataConnection) throws -> CommitOutcome {
    { connection in
        try CommitQueries(connection).apply(
            CommitRequest(
                namespace: Fixture.namespace, upload: Fixture.upload(number), device: Fixture.device,
                changes: [NodeChange(number, Fixture.file("f\(number)"))]),
            at: Fixture.time, hash: TestHash.digest)
    }
}
