public import Metadata
public import Model
import WireProtocol

/// Reads which devices were revoked so lately that a poll token of theirs might still be believed.
public struct ListRevocations: Sendable {
    private let database: any MetadataDatabase
    private let clock: any WallClock

    /// More were never revoked within the life of a token, unless somebody does nothing else; the newest count.
    static let most = 32_768
    /// Clocks of processes on one machine agree; what it takes to publish a revocation is added to the life of a token.
    static let span = Duration.seconds(Int64(PollToken.lifetime) + 60)

    /// Makes the use case.
    public init(database: any MetadataDatabase, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    /// The devices, the last revoked first.
    /// - Throws: ``MetadataError``.
    public func callAsFunction() async throws -> [DeviceID] {
        let since = clock.now().advanced(by: .zero - Self.span)
        return try await database.read { try DeviceQueries($0).revoked(since: since, atMost: Self.most) }
    }
}
