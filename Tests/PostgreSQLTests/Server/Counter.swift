import Metadata
import MetadataConformance
import Model
import Synchronization

/// Counts how often a body runs.
final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .relaxed) }

    @discardableResult
    func add() -> Int { count.add(1, ordering: .relaxed).newValue }
}

/// What a call fails with; nil when it does not fail by an error of the port.
func failure(of call: @Sendable () async throws -> Void) async -> MetadataError? {
    do { try await call() } catch { return error as? MetadataError }
    return nil
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
