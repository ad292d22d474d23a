public import Metadata
public import Model

/// Tells what lies in the archive and who waits for it, also while no server runs.
public struct CountArchive: Sendable {
    private let database: any MetadataDatabase

    /// What there is.
    public struct Answer: Hashable, Sendable {
        /// What each account has in the archive, those with nothing left out: its name, blocks and sealed bytes.
        public var accounts: [Share] = []
        /// Requests that wait.
        public var waiting = 0
        /// Requests that are ready.
        public var ready = 0
        /// Requests of which some blocks could not be read.
        public var failed = 0
        /// When the next of those that wait is expected; nil when that is not known.
        public var nextReady: Timestamp?
        /// When all accounts were last looked through; nil when they never were.
        public var lastRound: Timestamp?
        /// Blocks of all accounts.
        public var blocks: Int { accounts.reduce(0) { $0 + $1.blocks } }
        /// Sealed bytes of all accounts.
        public var bytes: Int64 { accounts.reduce(0) { $0 + $1.bytes } }
    }

    /// What one account has in the archive.
    public struct Share: Hashable, Sendable {
        /// The account's name.
        public let name: String
        /// Its blocks.
        public let blocks: Int
        /// Their sealed bytes.
        public let bytes: Int64
    }

    /// Makes the use case.
    public init(_ database: any MetadataDatabase) { self.database = database }

    /// Counts, and shows the result to dashboards.
    public func count(into counter: ArchiveCounter) async throws {
        let answer = try await self()
        counter.change { counts in
            counts.blocks = answer.blocks
            counts.bytes = answer.bytes
            counts.waiting = answer.waiting
            counts.ready = answer.ready
            counts.failed = answer.failed
        }
    }

    /// Counts. O(archived blocks).
    public func callAsFunction() async throws -> Answer {
        var answer = Answer()
        for account in try await database.read({ try AccountQueries($0).all() }) {
            let total = try await database.read { try ArchiveQueries($0).total(of: account.id) }
            guard total.blocks > 0 else { continue }
            answer.accounts.append(Share(name: account.name, blocks: total.blocks, bytes: total.bytes))
        }
        let (counts, next, round) = try await database.read { connection in
            let thaws = ThawQueries(connection)
            return (try thaws.counts(), try thaws.nextReady(), try ArchiveQueries(connection).lastRound())
        }
        answer.waiting = counts[.waiting] ?? 0
        answer.ready = counts[.ready] ?? 0
        answer.failed = counts[.failed] ?? 0
        answer.nextReady = next
        answer.lastRound = round
        return answer
    }
}
