public import Model

/// Repeats calls that failed with a retryable error, waiting longer each time.
///
/// Repeating an append is safe: bytes that were written without an acknowledgement are named by nothing. A scan is
/// not repeated, since what it has visited can't be taken back.
public struct RetryingBlockStore: BlockStore {
    /// Waits before the next attempt; its argument counts the failed ones, from 1 on.
    public typealias Pause = @Sendable (_ attempt: Int) async throws -> Void

    private let base: any BlockStore
    private let attempts: Int
    private let pause: Pause

    /// Puts retries before a store.
    /// - Parameters:
    ///   - base: The store.
    ///   - attempts: How often a call is tried in all; at least once.
    ///   - pause: Waits between two attempts; what it throws, such as a cancellation, ends the retries.
    public init(_ base: any BlockStore, attempts: Int, pause: @escaping Pause) {
        precondition(attempts >= 1, "a call has to be tried")
        self.base = base
        self.attempts = attempts
        self.pause = pause
    }

    /// Puts retries before a store that wait twice as long each time, and between half of that and all of it by
    /// chance, so that many callers do not come back together.
    public init(
        _ base: any BlockStore, attempts: Int = 4, firstPause: Duration = .milliseconds(50),
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.init(base, attempts: attempts) { attempt in
            let whole = firstPause * (1 << min(attempt - 1, 16))
            try await clock.sleep(for: whole * Double.random(in: 0.5...1))
        }
    }

    /// Appends, repeatedly if need be.
    public func append(_ records: [[UInt8]]) async throws -> [PackLocation] {
        try await retrying { try await base.append(records) }
    }

    /// Reads one record, repeatedly if need be.
    public func read(_ location: PackLocation) async throws -> [UInt8] {
        try await retrying { try await base.read(location) }
    }

    /// Reads many records, repeatedly if need be.
    public func read(_ locations: [PackLocation]) async throws -> [[UInt8]] {
        try await retrying { try await base.read(locations) }
    }

    /// Repairs one record, repeatedly if need be.
    public func repair(_ location: PackLocation, with bytes: [UInt8]) async throws {
        try await retrying { try await base.repair(location, with: bytes) }
    }

    /// Lists the packs, repeatedly if need be.
    public func packs() async throws -> [PackSummary] {
        try await retrying { try await base.packs() }
    }

    /// Scans a pack, once.
    public func scan(_ pack: PackID, _ visit: @Sendable (PackRecord) throws -> Void) async throws {
        try await base.scan(pack, visit)
    }

    /// Removes a pack, repeatedly if need be.
    public func delete(_ pack: PackID) async throws {
        try await retrying { try await base.delete(pack) }
    }

    /// Checks the store, once: readiness is about this moment.
    public func check() async throws { try await base.check() }

    /// Closes the store.
    public func close() async throws { try await base.close() }

    private func retrying<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
        var failed = 0
        while true {
            do {
                return try await body()
            } catch let error as StorageError where error.isRetryable {
                failed += 1
                if failed >= attempts { throw error }
                try await pause(failed)
            }
        }
    }
}
