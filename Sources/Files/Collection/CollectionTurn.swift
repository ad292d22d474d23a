import Metadata
import Model

/// One run of the collector, and how its steps reach the database: each is a short transaction, and each that changes
/// something makes sure first that no other run has begun since.
struct CollectionTurn: Sendable {
    let context: FilesContext
    let limits: CollectionLimits
    let pace: CollectionPace
    /// The bytes that name the run.
    let run: [UInt8]
    /// Whether it only counts what it would do.
    let isDry: Bool

    /// A step that only reads.
    func read<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        let answer = try await context.database.read(body)
        try await pace.rest()
        return answer
    }

    /// A step that changes something.
    /// - Throws: ``CollectionSuperseded``, and what `body` throws.
    func write<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        precondition(!isDry, "a run that only counts changes nothing")
        let run = run
        let answer = try await context.database.write { connection in
            try CollectionQueries(connection).ensureTurn(run)
            return try body(connection)
        }
        try await pace.rest()
        return answer
    }
}
