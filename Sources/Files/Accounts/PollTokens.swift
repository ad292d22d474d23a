import Blocks
public import Model
public import WireProtocol

/// Gives out poll tokens and tells good ones from others, without the database. A rotation of the master keys needs no restart:
/// see ``TokenKeys``.
public final class PollTokens: Sendable {
    private let keys: TokenKeys
    private let clock: any WallClock

    init(source: any KeyRingSource, clock: any WallClock) {
        keys = TokenKeys(source: source, clock: clock) { $0.pollKeys() }
        self.clock = clock
    }

    /// Gives a device a token that is good for ``PollToken/lifetime`` seconds.
    /// - Parameters:
    ///   - account: whose device it is.
    ///   - device: the device.
    ///   - namespaces: what it may hear of, at least one; those beyond ``PollToken/maximumNamespaces`` are left out.
    /// - Returns: The token as text, and until when it is good, in seconds since 1970.
    /// - Throws: what the key ring's source throws.
    public func issue(
        account: AccountID, device: DeviceID, namespaces: [NamespaceID]
    ) throws -> (text: String, expires: UInt64) {
        let signing = try keys.signing()
        let expires = UInt64(max(0, clock.now().seconds)) + PollToken.lifetime
        let token = PollToken(
            account: account, device: device, namespaces: Array(namespaces.prefix(PollToken.maximumNamespaces)),
            expires: expires)
        return (token.sign(with: signing.key, version: signing.version), expires)
    }

    /// Whether text is meant to be a poll token, be it good or not.
    public static func isMeant(by text: String) -> Bool { text.hasPrefix(PollToken.prefix) }

    /// What a token says, when it is good.
    /// - Throws: ``FilesError`` `unauthorized`, and what the key ring's source throws.
    public func verify(_ text: String) throws -> PollToken {
        do {
            return try keys.verify(text, PollToken.verify)
        } catch let error as TokenError {
            throw FilesError(
                .unauthorized,
                error == .expired
                    ? "the poll token has expired: ask for another at /v1/poll/token"
                    : "the poll token is none of this server's")
        }
    }
}
