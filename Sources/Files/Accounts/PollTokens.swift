import Blocks
public import Model
import Synchronization
public import WireProtocol

/// Gives out poll tokens and tells good ones from others, without the database.
///
/// The keys are read when they are first needed, and again, at most every ten seconds, when a token names one that is not
/// known: so a rotation of the master keys needs no restart here. Tokens are signed with the newest key of the first
/// reading, which the processes that were started before know too.
public final class PollTokens: Sendable {
    private struct Keys {
        let signing: (version: UInt32, key: PollKey)?
        var all: [UInt32: PollKey]
        var read: Timestamp
    }

    private let source: any KeyRingSource
    private let clock: any WallClock
    private let keys = Mutex<Keys?>(nil)

    private static let pause = Duration.seconds(10)

    init(source: any KeyRingSource, clock: any WallClock) {
        self.source = source
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
        guard let signing = try current().signing else {
            throw FilesError(.unavailable, "the key ring has no key")
        }
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
        let now = clock.now()
        do {
            return try Self.verify(text, keys: try current().all, now: now)
        } catch PollTokenError.unknownKey {
            let again = try reread(now)
            do {
                return try Self.verify(text, keys: again, now: now)
            } catch is PollTokenError {
                throw FilesError(.unauthorized, "the poll token is none of this server's")
            }
        } catch let error as PollTokenError {
            throw FilesError(
                .unauthorized,
                error == .expired
                    ? "the poll token has expired: ask for another at /v1/poll/token"
                    : "the poll token is none of this server's")
        }
    }

    private static func verify(_ text: String, keys: [UInt32: PollKey], now: Timestamp) throws -> PollToken {
        let second = UInt64(max(0, now.seconds))
        return try Array(text.utf8).withUnsafeBytes { try PollToken.verify($0, keys: keys, now: second) }
    }

    private func current() throws -> Keys {
        if let keys = keys.withLock({ $0 }) { return keys }
        let ring = try source.keyRing()
        let all = ring.pollKeys()
        let read = Keys(signing: all[ring.current].map { (ring.current, $0) }, all: all, read: clock.now())
        return keys.withLock { keys in
            // Another may have been faster.
            let kept = keys ?? read
            keys = kept
            return kept
        }
    }

    private func reread(_ now: Timestamp) throws -> [UInt32: PollKey] {
        let (isDue, known) = keys.withLock { keys in
            let isDue = keys.map { $0.read.advanced(by: Self.pause) <= now } ?? true
            if isDue { keys?.read = now }
            return (isDue, keys?.all ?? [:])
        }
        guard isDue else { return known }
        let all = try source.keyRing().pollKeys()
        keys.withLock { $0?.all = all }
        return all
    }
}
