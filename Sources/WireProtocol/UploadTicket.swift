public import Blocks
public import Model

/// What lets a device bring the blocks of one upload without a look at its session: who it is and which upload is meant,
/// signed by the server that took the announcement. docs/protocol.md has its bytes.
public struct UploadTicket: Hashable, Sendable {
    /// The header field that brings it.
    public static let header = "X-Cairn-Upload-Ticket"
    /// What every ticket begins with.
    public static let prefix = marker.description
    private static let marker: StaticString = "cairnupload_"
    /// How long a new ticket is good for, in seconds.
    public static let lifetime: UInt64 = 3600
    /// How many characters a ticket has.
    public static let length = SignedText.length(of: saidLength, after: marker)

    /// Account, device, home, upload, expiry.
    private static let saidLength = 4 * 16 + 8

    /// Whose device it is.
    public let account: AccountID
    /// Which device may use it.
    public let device: DeviceID
    /// The account's home namespace.
    public let home: NamespaceID
    /// The upload that it is for.
    public let upload: UploadID
    /// Until when it is good, in seconds since 1970; from that second on it is not.
    public let expires: UInt64

    /// Makes a ticket of its parts.
    public init(account: AccountID, device: DeviceID, home: NamespaceID, upload: UploadID, expires: UInt64) {
        self.account = account
        self.device = device
        self.home = home
        self.upload = upload
        self.expires = expires
    }

    /// Signs the ticket.
    /// - Parameters:
    ///   - key: the key, of the master key with that version.
    ///   - version: the version of the master key, so that a verifier finds the key.
    /// - Returns: The ticket as text.
    public func sign(with key: TokenKey, version: UInt32) -> String {
        let said = account.bytes + device.bytes + home.bytes + upload.bytes + [UInt8](bigEndian: expires)
        return SignedText.sign(said, as: Self.marker, with: key, version: version)
    }

    /// Reads a ticket and checks that one of `keys` has signed it, and that its time is not over.
    /// - Parameters:
    ///   - text: the ticket, the prefix included.
    ///   - keys: the keys by the versions of their master keys.
    ///   - now: the present second since 1970.
    /// - Returns: What the ticket says.
    /// - Throws: ``TokenError``.
    public static func verify(
        _ text: UnsafeRawBufferPointer, keys: [UInt32: TokenKey], now: UInt64
    ) throws(TokenError) -> UploadTicket {
        guard text.count == length else { throw .malformed }
        let ticket = try SignedText.verify(text, as: marker, keys: keys) { bytes throws(TokenError) in
            guard bytes.count == saidLength else { throw .malformed }
            return UploadTicket(
                account: SignedText.identifier(bytes, at: 0), device: SignedText.identifier(bytes, at: 16),
                home: SignedText.identifier(bytes, at: 32), upload: SignedText.identifier(bytes, at: 48),
                expires: SignedText.number(bytes, at: 64))
        }
        guard now < ticket.expires else { throw .expired }
        return ticket
    }
}
