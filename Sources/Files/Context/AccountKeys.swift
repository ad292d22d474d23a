public import Blocks
import Metadata
import Model
import Synchronization

/// Where the server's key ring is kept.
public protocol KeyRingSource: Sendable {
    /// The ring as it is now: read anew, because a rotation may have added a key.
    func keyRing() throws -> KeyRing
}

/// A key ring that is held in memory and never rotated.
public struct FixedKeyRing: KeyRingSource {
    private let ring: KeyRing

    /// Holds a ring.
    public init(_ ring: KeyRing) { self.ring = ring }

    /// The ring.
    public func keyRing() -> KeyRing { ring }
}

/// The unwrapped keys of accounts, each unwrapped once in the life of a process: a rotation of the master key wraps an
/// account's key anew, but does not change it.
public final class AccountKeys: Sendable {
    private let source: any KeyRingSource
    private let database: any MetadataDatabase
    private let cache = Mutex<[AccountID: AccountKey]>([:])

    init(source: any KeyRingSource, database: any MetadataDatabase) {
        self.source = source
        self.database = database
    }

    /// The key that seals an account's blocks.
    /// - Throws: ``FilesError`` `notFound` for no account, and what the database, the key ring's source and the ring throw.
    func key(of account: AccountID) async throws -> AccountKey {
        if let key = cache.withLock({ $0[account] }) { return key }
        guard let record = try await database.read({ try AccountQueries($0).byID(account) }) else {
            throw FilesError(.notFound, "there is no account \(account)")
        }
        let wrapped = WrappedKey(masterKey: record.masterKey, bytes: record.wrappedKey)
        let key = try source.keyRing().unwrap(wrapped, for: account)
        cache.withLock { $0[account] = key }
        return key
    }

    /// Wraps the key of a new account.
    func wrap(_ key: AccountKey, for account: AccountID) throws -> WrappedKey {
        try source.keyRing().wrap(key, for: account)
    }
}
