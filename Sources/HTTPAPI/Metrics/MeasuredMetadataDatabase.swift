import CoreMetrics
public import Metadata

/// Counts the failures of a database and times its writes.
public struct MeasuredMetadataDatabase: MetadataDatabase {
    private let base: any MetadataDatabase
    private let metrics: PrometheusRegistry

    /// Measures a database.
    public init(_ base: any MetadataDatabase, metrics: PrometheusRegistry) {
        self.base = base
        self.metrics = metrics
    }

    /// Runs a body that only reads.
    public func read<T: Sendable>(
        _ body: @escaping @Sendable (any MetadataConnection) throws -> T
    ) async throws -> T {
        try await counting("read") { try await base.read(body) }
    }

    /// Runs a body in a transaction.
    public func write<T: Sendable>(
        _ body: @escaping @Sendable (any MetadataConnection) throws -> T
    ) async throws -> T {
        let start = ContinuousClock.now
        defer {
            metrics.makeTimer(label: "cairn_database_write_seconds", dimensions: [])
                .recordNanoseconds((ContinuousClock.now - start).nanoseconds)
        }
        return try await counting("write") { try await base.write(body) }
    }

    /// Closes the database.
    public func close() async throws { try await base.close() }

    private func counting<T: Sendable>(_ operation: String, _ call: () async throws -> T) async throws -> T {
        do {
            return try await call()
        } catch let error as MetadataError {
            metrics.makeCounter(
                label: "cairn_database_errors_total",
                dimensions: [("code", error.code.rawValue), ("operation", operation)]
            ).increment(by: 1)
            throw error
        }
    }
}
