public import Blocks
public import Metadata

/// Wraps every account's key under the newest master key. The blocks stay as they are.
public struct RotateKeys: Sendable {
    private let database: any MetadataDatabase

    /// Works on a database.
    public init(database: any MetadataDatabase) {
        self.database = database
    }

    /// Wraps the keys anew, all in one transaction. The ring must be durable before, with its older keys: until this
    /// returns, accounts are wrapped by them.
    /// - Returns: how many accounts were wrapped by an older key.
    /// - Throws: ``BlocksError`` for an account whose key the ring can't unwrap; then none is changed.
    public func callAsFunction(with ring: KeyRing) async throws -> Int {
        try await database.write { connection in
            let accounts = AccountQueries(connection)
            var rewrapped = 0
            for account in try accounts.all() where account.masterKey != ring.current {
                let old = WrappedKey(masterKey: account.masterKey, bytes: account.wrappedKey)
                let new = try ring.rewrap(old, for: account.id)
                try accounts.setWrappedKey(account.id, masterKey: new.masterKey, wrappedKey: new.bytes)
                rewrapped += 1
            }
            return rewrapped
        }
    }
}
