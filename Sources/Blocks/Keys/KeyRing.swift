public import Model

/// The server's master keys, which wrap the accounts' keys. The newest wraps; the older ones still unwrap.
///
/// Rotation adds a key and then wraps each account's key anew (``rewrap(_:for:)``): the blocks themselves stay as they
/// are.
public struct KeyRing: Sendable, CustomStringConvertible {
    /// The keys by ascending version; never none.
    let keys: [(version: UInt32, key: SecretKey)]

    init(keys: [(version: UInt32, key: SecretKey)]) {
        self.keys = keys
    }

    /// Makes a ring of one new key, version 1.
    public static func generate() -> KeyRing {
        var random = SecureRandom()
        return KeyRing(keys: [(1, SecretKey(using: &random))])
    }

    /// The version of the key that wraps.
    public var current: UInt32 { keys[keys.count - 1].version }

    /// The versions of all keys, ascending.
    public var versions: [UInt32] { keys.map(\.version) }

    /// This ring with a new key after the current one.
    public func rotated() -> KeyRing {
        var random = SecureRandom()
        return KeyRing(keys: keys + [(current + 1, SecretKey(using: &random))])
    }

    /// This ring without an old key, when no account's key is wrapped by it any more.
    /// - Throws: ``BlocksError`` `unknownKey` for a version that it does not have, or for the current one.
    public func removing(_ version: UInt32) throws -> KeyRing {
        guard version != current, keys.contains(where: { $0.version == version }) else {
            throw BlocksError(.unknownKey, "master key \(version) is not an old key of the ring; it has \(versions)")
        }
        return KeyRing(keys: keys.filter { $0.version != version })
    }

    /// Encrypts an account's key under the current master key.
    /// - Throws: ``BlocksError`` `cryptography`.
    public func wrap(_ key: AccountKey, for account: AccountID) throws -> WrappedKey {
        var random = SecureRandom()
        return try wrap(key, for: account, nonces: &random)
    }

    /// Wraps with a nonce from `nonces`, so that a test can know it.
    package func wrap(
        _ key: AccountKey, for account: AccountID, nonces: inout some RandomNumberGenerator
    ) throws -> WrappedKey {
        let nonce = [UInt8](bigEndian: nonces.next()) + [UInt8](bigEndian: UInt32(truncatingIfNeeded: nonces.next()))
        let associated = Self.associated(account, current)
        let cipher = try AES256GCM(key: keys[keys.count - 1].key)
        var sealed = [UInt8](repeating: 0, count: SecretKey.length + AES256GCM.tagLength)
        try sealed.withUnsafeMutableBytes { out in
            try key.secret.withBytes { secret in
                try nonce.withUnsafeBytes { nonce in
                    try associated.withUnsafeBytes { associated in
                        try cipher.seal(
                            nonce: nonce.baseAddress.unsafelyUnwrapped, associated: associated, header: secret,
                            body: UnsafeRawBufferPointer(start: nil, count: 0), into: out.baseAddress.unsafelyUnwrapped)
                    }
                }
            }
        }
        return WrappedKey(masterKey: current, bytes: nonce + sealed)
    }

    /// Decrypts an account's key.
    /// - Throws: ``BlocksError`` `unknownKey` when the ring lacks the master key, `authenticationFailed` when the bytes
    ///   were altered or belong to another account.
    public func unwrap(_ wrapped: WrappedKey, for account: AccountID) throws -> AccountKey {
        guard let master = keys.first(where: { $0.version == wrapped.masterKey }) else {
            throw BlocksError(
                .unknownKey,
                "the key of account \(account) is wrapped by master key \(wrapped.masterKey); the ring has \(versions)")
        }
        let failure = BlocksError(
            .authenticationFailed,
            "the wrapped key of account \(account) does not open with master key \(wrapped.masterKey)")
        guard wrapped.bytes.count == AES256GCM.nonceLength + SecretKey.length + AES256GCM.tagLength else {
            throw failure
        }
        let cipher = try AES256GCM(key: master.key)
        let associated = Self.associated(account, wrapped.masterKey)
        let secret = try SecretKey { out in
            let authentic = try wrapped.bytes.withUnsafeBytes { bytes in
                try associated.withUnsafeBytes { associated in
                    try cipher.open(
                        nonce: bytes.baseAddress.unsafelyUnwrapped, associated: associated,
                        sealed: UnsafeRawBufferPointer(rebasing: bytes[AES256GCM.nonceLength...]), header: out,
                        body: UnsafeMutableRawBufferPointer(start: nil, count: 0))
                }
            }
            guard authentic else { throw failure }
        }
        return AccountKey(secret)
    }

    /// The same account key under the current master key.
    /// - Throws: As ``unwrap(_:for:)`` does.
    public func rewrap(_ wrapped: WrappedKey, for account: AccountID) throws -> WrappedKey {
        try wrap(unwrap(wrapped, for: account), for: account)
    }

    /// Says which keys there are, not what they are, so that no log does.
    public var description: String { "KeyRing(versions: \(versions))" }

    /// What binds a wrapped key to its purpose, its account and its master key.
    private static func associated(_ account: AccountID, _ version: UInt32) -> [UInt8] {
        Array("cairn account key".utf8) + account.bytes + [UInt8](bigEndian: version)
    }
}
