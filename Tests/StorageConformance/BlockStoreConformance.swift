public import Storage
import TestSupport

/// What every block store must do. A backend's test opens a fresh store for each check and runs it.
public struct BlockStoreConformance: Sendable {
    /// Opens the store over what the former one has left; the former one is closed by then.
    public typealias Opening = @Sendable () async throws -> any BlockStore

    /// One promise of the contract.
    public struct Check: Sendable, CustomStringConvertible {
        /// The promise as a sentence.
        public let description: String
        let body: @Sendable (Opening) async throws -> Void

        /// Tries it with a backend.
        /// - Throws: ``ConformanceFailure`` when it is not kept, and whatever the store throws unasked.
        public func run(_ open: Opening) async throws { try await body(open) }
    }

    /// All checks.
    public static let checks: [Check] = recordChecks + packChecks + lifeChecks
}

/// A promise that was not kept.
public struct ConformanceFailure: Error, CustomStringConvertible {
    /// What was not as it should be.
    public let description: String
}

/// Fails unless a condition holds.
func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw ConformanceFailure(description: message()) }
}

/// Fails unless something throws an error of a code.
func requireFailure(
    _ codes: StorageError.Code..., by what: String, _ body: () async throws -> Void
) async throws {
    do {
        try await body()
    } catch let error as StorageError {
        try require(codes.contains(error.code), "\(what) failed with \(error)")
        try require(!error.message.isEmpty, "\(what) failed without a message")
        return
    }
    throw ConformanceFailure(description: "\(what) succeeded")
}

/// Records of many sizes, made from a seed.
func sampleRecords(_ sizes: [Int], seed: UInt64) -> [[UInt8]] {
    var generator = SeededGenerator(seed: seed)
    return sizes.map { generator.bytes($0) }
}
