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
    public static let maximumLength = SignedText.length(of: fixedLength + maximumNamespaces * 16, after: marker)

    /// Account, device, expiry, count of namespaces.
    private static let fixedLength = 16 + 16 + 8 + 1

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
    public func sign(with key: TokenKey, version: UInt32) -> String {
        var bytes = account.bytes + device.bytes + [UInt8](bigEndian: expires) + [UInt8(namespaces.count)]
        for namespace in namespaces { bytes += namespace.bytes }
        return SignedText.sign(bytes, as: Self.marker, with: key, version: version)
    }

    /// Whether text is meant to be a poll token, be it good or not.
    public static func isMeant(by text: UnsafeRawBufferPointer) -> Bool { SignedText.isMeant(by: text, as: marker) }

    /// Reads a token and checks that one of `keys` has signed it, and that its time is not over. Takes about a
    /// microsecond, and allocates the list of namespaces alone.
    /// - Parameters:
    ///   - text: the token, the prefix included.
    ///   - keys: the keys by the versions of their master keys.
    ///   - now: the present second since 1970.
    /// - Returns: What the token says.
    /// - Throws: ``TokenError``. Of a token that is not signed nothing but the version of its key is looked at.
    public static func verify(
        _ text: UnsafeRawBufferPointer, keys: [UInt32: TokenKey], now: UInt64
    ) throws(TokenError) -> PollToken {
        guard text.count <= maximumLength else { throw .malformed }
        let token = try SignedText.verify(text, as: marker, keys: keys) { bytes throws(TokenError) in
            try PollToken(signed: bytes)
        }
        guard now < token.expires else { throw .expired }
        return token
    }

    private init(signed bytes: UnsafeRawBufferPointer) throws(TokenError) {
        guard bytes.count > Self.fixedLength else { throw .malformed }
        let named = Int(bytes[40])
        guard 1...Self.maximumNamespaces ~= named, bytes.count == Self.fixedLength + named * 16 else {
            throw .malformed
        }
        account = SignedText.identifier(bytes, at: 0)
        device = SignedText.identifier(bytes, at: 16)
        expires = SignedText.number(bytes, at: 32)
        namespaces = [NamespaceID](unsafeUninitializedCapacity: named) { out, initialized in
            for index in 0..<named {
                out.initializeElement(at: index, to: SignedText.identifier(bytes, at: Self.fixedLength + index * 16))
            }
            initialized = named
        }
    }
}
