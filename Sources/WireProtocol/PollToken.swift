public import Blocks
public import Model

/// What lets a device poll for a few minutes without a look into the database: who it is and which namespaces it may
/// hear of, signed by the server. docs/protocol.md has its bytes.
public struct PollToken: Hashable, Sendable {
    /// What every token begins with, so that it is told from a device's own token at a glance.
    public static let prefix = marker.description
    private static let marker: StaticString = "cairnpoll_"
    /// How long a new token is good for, in seconds.
    public static let lifetime: UInt64 = 600
    /// Most namespaces in one token.
    public static let maximumNamespaces = 64
    /// Most characters of a token.
    public static let maximumLength = prefix.utf8.count + ((fixedLength + maximumNamespaces * 16) * 4 + 2) / 3

    /// Version, version of the key, account, device, expiry, count of namespaces, signature.
    private static let fixedLength = 1 + 4 + 16 + 16 + 8 + 1 + signatureLength
    private static let signatureLength = 32
    private static let version: UInt8 = 1

    /// Whose device it is.
    public let account: AccountID
    /// Which device may use it.
    public let device: DeviceID
    /// The namespaces that the device may hear of: 1 to ``maximumNamespaces``.
    public let namespaces: [NamespaceID]
    /// Until when it is good, in seconds since 1970; from that second on it is not.
    public let expires: UInt64

    /// Makes a token of its parts, with 1 to ``maximumNamespaces`` namespaces.
    public init(account: AccountID, device: DeviceID, namespaces: [NamespaceID], expires: UInt64) {
        precondition(
            1...Self.maximumNamespaces ~= namespaces.count,
            "a poll token names 1 to \(Self.maximumNamespaces) namespaces, not \(namespaces.count)")
        self.account = account
        self.device = device
        self.namespaces = namespaces
        self.expires = expires
    }

    /// Signs the token.
    /// - Parameters:
    ///   - key: the key, of the master key with that version.
    ///   - version: the version of the master key, so that a verifier finds the key.
    /// - Returns: The token as text.
    public func sign(with key: PollKey, version: UInt32) -> String {
        var bytes = [Self.version] + [UInt8](bigEndian: version) + account.bytes + device.bytes
        bytes += [UInt8](bigEndian: expires) + [UInt8(namespaces.count)]
        for namespace in namespaces { bytes += namespace.bytes }
        bytes += bytes.withUnsafeBytes { key.signature(of: $0) }.bytes
        return Self.prefix + Base64URL.encode(bytes)
    }

    /// Whether text is meant to be a poll token, be it good or not.
    public static func isMeant(by text: UnsafeRawBufferPointer) -> Bool {
        guard text.count >= marker.utf8CodeUnitCount else { return false }
        for index in 0..<marker.utf8CodeUnitCount where text[index] != marker.utf8Start[index] { return false }
        return true
    }

    /// Reads a token and checks that one of `keys` has signed it, and that its time is not over. Takes about a
    /// microsecond, and allocates the list of namespaces alone.
    /// - Parameters:
    ///   - text: the token, the prefix included.
    ///   - keys: the keys by the versions of their master keys.
    ///   - now: the present second since 1970.
    /// - Returns: What the token says.
    /// - Throws: ``PollTokenError``. Of a token that is not signed nothing but the version of its key is looked at.
    public static func verify(
        _ text: UnsafeRawBufferPointer, keys: [UInt32: PollKey], now: UInt64
    ) throws(PollTokenError) -> PollToken {
        guard text.count <= maximumLength, isMeant(by: text) else { throw .malformed }
        let digits = UnsafeRawBufferPointer(rebasing: text[prefix.utf8.count...])
        guard let count = Base64URL.decodedCount(digits.count), count > fixedLength else { throw .malformed }
        let read = withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { bytes in
            Result { () throws(PollTokenError) in
                guard Base64URL.decode(digits, into: bytes) else { throw .malformed }
                return try PollToken(verifying: UnsafeRawBufferPointer(bytes), keys: keys)
            }
        }
        let token = try read.get()
        guard now < token.expires else { throw .expired }
        return token
    }

    private init(verifying bytes: UnsafeRawBufferPointer, keys: [UInt32: PollKey]) throws(PollTokenError) {
        guard bytes[0] == Self.version else { throw .malformed }
        guard let key = keys[Self.number(bytes, at: 1)] else { throw .unknownKey }
        let signed = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - Self.signatureLength)])
        let signature = Digest(loading: bytes.baseAddress.unsafelyUnwrapped + signed.count)
        guard key.isSignature(signature, of: signed) else { throw .forged }
        let named = Int(bytes[45])
        guard 1...Self.maximumNamespaces ~= named, signed.count == 46 + named * 16 else { throw .malformed }
        account = Self.identifier(bytes, at: 5)
        device = Self.identifier(bytes, at: 21)
        expires = Self.number(bytes, at: 37)
        namespaces = [NamespaceID](unsafeUninitializedCapacity: named) { out, initialized in
            for index in 0..<named {
                out.initializeElement(at: index, to: Self.identifier(bytes, at: 46 + index * 16))
            }
            initialized = named
        }
    }

    private static func identifier<Kind>(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Identifier<Kind> {
        Identifier(high: number(bytes, at: offset), low: number(bytes, at: offset + 8))
    }

    private static func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, at offset: Int
    ) -> Number {
        Number(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}
