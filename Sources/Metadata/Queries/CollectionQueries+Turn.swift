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
        try setMark(Self.turn, run, at: time)
    }

    /// Has to be called by a run in each transaction in which it changes something.
    /// - Throws: ``CollectionSuperseded`` when another run has begun.
    public func ensureTurn(_ run: [UInt8]) throws {
        guard try mark(Self.turn)?.value == run else { throw CollectionSuperseded() }
    }

    /// When the newest run began; nil when there was none.
    public func lastTurn() throws -> Timestamp? { try mark(Self.turn)?.updated }

    /// The account that was done last by a run that did not come to its end; nil when there is none.
    public func lastAccount() throws -> AccountID? {
        try mark(Self.progress).flatMap { AccountID(bytes: $0.value) }
    }

    /// Notes the account that was done last; nil at the end of a run.
    public func setLastAccount(_ account: AccountID?, at time: Timestamp) throws {
        try setMark(Self.progress, account?.bytes ?? [], at: time)
    }

    private func mark(_ name: String) throws -> (value: [UInt8], updated: Timestamp)? {
        try connection.first("SELECT value, updated FROM maintenance WHERE name = $1", [.text(name)]).map {
            (value: try $0.blob(0), updated: try $0.time(1))
        }
    }

    private func setMark(_ name: String, _ value: [UInt8], at time: Timestamp) throws {
        try connection.execute(
            """
            INSERT INTO maintenance (name, value, updated) VALUES ($1, $2, $3)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated = excluded.updated
            """, [.text(name), .blob(value), .time(time)])
    }
}
