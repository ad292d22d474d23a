public import Model

/// Another run of the collector has begun: this one must change nothing any more.
public struct CollectionSuperseded: Error, Hashable, Sendable, CustomStringConvertible {
    /// Makes the error.
    public init() {}

    /// What happened, for messages.
    public var description: String { "another collection has begun" }
}

/// Whose turn it is to collect, and how far that has come.
extension CollectionQueries {
    private static let turn = "collection"
    private static let progress = "collection account"

    /// Makes a run the only one that may change anything; earlier ones find that out with their next step.
    /// - Parameters:
    ///   - run: bytes that no other run has.
    ///   - time: when it begins.
    /// - Throws: ``MetadataError``.
    public func beginTurn(_ run: [UInt8], at time: Timestamp) throws {
        try work.set(run, of: Self.turn, at: time)
    }

    /// Has to be called by a run in each transaction in which it changes something.
    /// - Throws: ``CollectionSuperseded`` when another run has begun.
    public func ensureTurn(_ run: [UInt8]) throws {
        guard try work.value(of: Self.turn) == run else { throw CollectionSuperseded() }
    }

    /// When the newest run began; nil when there was none.
    public func lastTurn() throws -> Timestamp? { try work.updated(of: Self.turn) }

    /// The account that was done last by a run that did not come to its end; nil when there is none.
    public func lastAccount() throws -> AccountID? {
        try work.value(of: Self.progress).flatMap { AccountID(bytes: $0) }
    }

    /// Notes the account that was done last; nil at the end of a run.
    public func setLastAccount(_ account: AccountID?, at time: Timestamp) throws {
        try work.set(account?.bytes, of: Self.progress, at: time)
    }

    private var work: WorkProgressQueries { WorkProgressQueries(connection) }
}
