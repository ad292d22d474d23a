public import Model

/// The key that signs tokens of one kind. Each master key of a ``KeyRing`` gives one for each kind; docs/protocol.md has the
/// derivation.
public struct TokenKey: Sendable, CustomStringConvertible {
    private let code: HMACSHA256

    /// Takes a key of 32 bytes.
    public init(bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == SecretKey.length, "a key of tokens has \(SecretKey.length) bytes")
        code = HMACSHA256(key: bytes)
    }

    /// The signature of bytes.
    public func signature(of bytes: UnsafeRawBufferPointer) -> Digest { code.code(of: bytes) }

    /// Whether a signature is this key's for these bytes. How long it takes says nothing about how much of it is right.
    public func isSignature(_ signature: Digest, of bytes: UnsafeRawBufferPointer) -> Bool {
        code.isCode(signature, of: bytes)
    }

    /// Says nothing of the key, so that no log does.
    public var description: String { "TokenKey(hidden)" }
}

extension KeyRing {
    /// The keys of poll tokens, by the version of the master key that each comes from. The one of ``KeyRing/current``
    /// signs, all verify.
    public func pollKeys() -> [UInt32: TokenKey] { keys(for: "cairn poll token") }

    /// The keys of upload tickets, in the same way.
    public func ticketKeys() -> [UInt32: TokenKey] { keys(for: "cairn upload ticket") }

    private func keys(for purpose: String) -> [UInt32: TokenKey] {
        Dictionary(
            uniqueKeysWithValues: keys.map { ($0.version, Self.key(for: purpose, of: $0.key, version: $0.version)) })
    }

    private static func key(for purpose: String, of master: SecretKey, version: UInt32) -> TokenKey {
        let purpose = Array(purpose.utf8) + [UInt8](bigEndian: version)
        let derived = SecretKey { out in
            let digest = master.withBytes { HMACSHA256(key: $0) }.code(of: purpose)
            out.baseAddress.unsafelyUnwrapped.store(digest, at: 0)
        }
        return derived.withBytes { TokenKey(bytes: $0) }
    }
}
