/// The key that seals an account's blocks. It leaves memory only wrapped by a master key of a ``KeyRing``.
public struct AccountKey: Sendable, CustomStringConvertible {
    let secret: SecretKey

    init(_ secret: SecretKey) {
        self.secret = secret
    }

    /// Draws a key from a source of randomness, which must be one for keys: ``SecureRandom`` outside of tests.
    public init(using generator: inout some RandomNumberGenerator) {
        secret = SecretKey(using: &generator)
    }

    /// Draws a key from the machine's own randomness.
    public static func generate() -> AccountKey {
        var random = SecureRandom()
        return AccountKey(using: &random)
    }

    /// Says nothing of the key, so that no log does.
    public var description: String { "AccountKey(hidden)" }
}

/// An account's key as it is stored: encrypted by a master key, bound to that key's version and to the account.
public struct WrappedKey: Hashable, Sendable {
    /// The version of the master key.
    public let masterKey: UInt32
    /// The encrypted key, 60 bytes; docs/format.md has the layout.
    public let bytes: [UInt8]

    /// Makes a wrapped key of its stored parts.
    public init(masterKey: UInt32, bytes: [UInt8]) {
        self.masterKey = masterKey
        self.bytes = bytes
    }
}
