public import Metadata
public import Model

/// Tells what accounts keep, what it takes, and what sharing and compression save.
public struct MeasureUsage: Sendable {
    private let database: any MetadataDatabase

    /// What an account keeps.
    public struct Account: Hashable, Sendable {
        /// Its name.
        public let name: String
        /// The most sealed bytes that it may keep; nil for no limit.
        public let quota: UInt64?
        /// The files that are there now.
        public let files: Int
        /// The versions whose bytes are kept, the present ones among them.
        public let versions: Int
        /// The bytes of the files that are there now.
        public let headBytes: UInt64
        /// The bytes of all kept versions, as if each were a file of its own.
        public let keptBytes: UInt64
        /// The blocks that the kept versions need, each once.
        public let needed: StoredTotals
        /// All blocks that are stored: the needed ones, those of uploads that are not complete, and those that the collection
        /// will remove. The quota counts the sealed bytes of these.
        public let stored: StoredTotals
        /// In how many regions every block lies.
        public let regions: Int

        /// What equal blocks save: negative never, since each version needs at most its own bytes.
        public var savedBySharing: UInt64 { keptBytes - min(keptBytes, needed.plainBytes) }
        /// What compression saves; negative when sealing adds more than that.
        public var savedByCompression: Int64 { Int64(needed.plainBytes) - Int64(needed.sealedBytes) }
        /// What the copies beyond the first take.
        public var takenByCopies: UInt64 { stored.sealedBytes * UInt64(max(0, regions - 1)) }
        /// What the collection, or the end of uploads, will free.
        public var unneededBytes: UInt64 { stored.sealedBytes - min(stored.sealedBytes, needed.sealedBytes) }
    }

    /// What a file or a folder really costs.
    public struct Path: Hashable, Sendable {
        /// The files that are there now.
        public let files: Int
        /// The versions whose bytes are kept, those of deleted files that were there among them.
        public let versions: Int
        /// The bytes of the files that are there now.
        public let headBytes: UInt64
        /// The bytes of all kept versions.
        public let keptBytes: UInt64
        /// The blocks that nothing else in the account needs: free when all versions of all this are gone.
        public let own: StoredTotals
        /// The blocks that something else needs too.
        public let shared: StoredTotals
    }

    /// Makes the use case.
    public init(database: any MetadataDatabase) {
        self.database = database
    }

    /// The names of all accounts.
    public func accounts() async throws -> [String] {
        try await database.read { try AccountQueries($0).all().map(\.name) }
    }

    /// What an account keeps.
    /// - Throws: ``FilesError``: `notFound`, `corruptData` for a recipe that can't be read.
    /// - Complexity: O(rows of the account's trees + pages and blocks of its contents); its memory is bounded.
    public func callAsFunction(_ name: String) async throws -> Account {
        let (account, quota, stored, regions) = try await database.read { connection in
            let account = try AccountPath.account(connection, name)
            let queries = QuotaQueries(connection)
            return (
                account, try queries.quota(of: account.id), try queries.stored(by: account.id),
                try RegionQueries(connection).all().count
            )
        }
        let found = try await BlockCensus(database: database, account: account.id, part: .everything).run()
        return Account(
            name: name, quota: quota, files: found.files, versions: found.versions, headBytes: found.headBytes,
            keptBytes: found.keptBytes, needed: found.own, stored: stored, regions: max(1, regions))
    }

    /// What a file or a folder of an account's home costs.
    /// - Throws: ``FilesError``: `notFound`, `corruptData` for a recipe that can't be read.
    /// - Complexity: as for the account: all of it has to be looked through to know what is shared.
    public func callAsFunction(_ name: String, path: RemotePath) async throws -> Path {
        let target = try await database.read { try AccountPath($0, account: name, path: path) }
        let found = try await BlockCensus(database: database, account: target.account.id, part: .path(target)).run()
        return Path(
            files: found.files, versions: found.versions, headBytes: found.headBytes, keptBytes: found.keptBytes,
            own: found.own, shared: found.shared)
    }
}
