import Blocks
import Model
import Synchronization
import WireProtocol

/// The keys of one kind of token, as the key ring gives them.
///
/// They are read when they are first needed, and again, at most every ten seconds, when a token names one that is not
/// known: so a rotation of the master keys needs no restart here. Tokens are signed with the newest key of the first
/// reading, which the processes that were started before know too.
final class TokenKeys: Sendable {
    private struct Keys {
        let signing: (version: UInt32, key: TokenKey)?
        var all: [UInt32: TokenKey]
        var read: Timestamp
    }

    private let source: any KeyRingSource
    private let clock: any WallClock
    private let derive: @Sendable (KeyRing) -> [UInt32: TokenKey]
    private let keys = Mutex<Keys?>(nil)

    private static let pause = Duration.seconds(10)

    /// Makes keys that `derive` makes of a ring.
    init(
        source: any KeyRingSource, clock: any WallClock, _ derive: @escaping @Sendable (KeyRing) -> [UInt32: TokenKey]
    ) {
        self.source = source
        self.clock = clock
        self.derive = derive
    }

    /// The key that signs.
    /// - Throws: ``FilesError`` `unavailable` for a ring without keys, and what the source throws.
    func signing() throws -> (version: UInt32, key: TokenKey) {
        guard let signing = try current().signing else {
            throw FilesError(.unavailable, "the key ring has no key")
        }
        return signing
    }

    /// Verifies text by the keys, which are read again when it names one that is not known.
    /// - Throws: `TokenError`, and what the source throws.
    func verify<Said>(
        _ text: String, _ verify: (UnsafeRawBufferPointer, [UInt32: TokenKey], UInt64) throws(TokenError) -> Said
    ) throws -> Said {
        let now = clock.now()
        let second = UInt64(max(0, now.seconds))
        func attempt(_ keys: [UInt32: TokenKey]) throws -> Said {
            try Array(text.utf8).withUnsafeBytes { try verify($0, keys, second) }
        }
        do {
            return try attempt(try current().all)
        } catch TokenError.unknownKey {
            return try attempt(try reread(now))
        }
    }

    private func current() throws -> Keys {
        if let keys = keys.withLock({ $0 }) { return keys }
        let ring = try source.keyRing()
        let all = derive(ring)
        let read = Keys(signing: all[ring.current].map { (ring.current, $0) }, all: all, read: clock.now())
        return keys.withLock { keys in
            // Another may have been faster.
            let kept = keys ?? read
            keys = kept
            return kept
        }
    }

    private func reread(_ now: Timestamp) throws -> [UInt32: TokenKey] {
        let (isDue, known) = keys.withLock { keys in
            let isDue = keys.map { $0.read.advanced(by: Self.pause) <= now } ?? true
            if isDue { keys?.read = now }
            return (isDue, keys?.all ?? [:])
        }
        guard isDue else { return known }
        let all = derive(try source.keyRing())
        keys.withLock { $0?.all = all }
        return all
    }
}
