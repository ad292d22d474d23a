import Blocks
import Files
import Messaging
import Metadata
import Model
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// A key ring that is rotated while it is used, and counts how often it is read.
private final class TurningKeyRing: KeyRingSource {
    private let state: Mutex<(ring: KeyRing, reads: Int)>

    init(_ ring: KeyRing) { state = Mutex((ring, 0)) }

    var reads: Int { state.withLock { $0.reads } }

    func rotate() { state.withLock { $0.ring = $0.ring.rotated() } }

    func keyRing() -> KeyRing {
        state.withLock { state in
            state.reads += 1
            return state.ring
        }
    }
}

@Suite("Poll tokens of a server")
struct PollTokenTests {
    private let clock = ManualClock()
    private let ring = TurningKeyRing(.generate())
    private let account = AccountID(high: 1, low: 1)
    private let device = DeviceID(high: 2, low: 2)
    private let namespaces = [NamespaceID(high: 3, low: 3), NamespaceID(high: 3, low: 4)]

    private func context(_ shop: Workshop, _ ring: any KeyRingSource) -> FilesContext {
        FilesContext(
            database: shop.database, store: shop.store, keyRing: ring, bus: shop.bus, clock: clock,
            randomness: shop.context.randomness, workers: shop.context.workers, log: shop.context.log)
    }

    private func tokens(_ ring: any KeyRingSource) async throws -> PollTokens {
        context(try await Workshop(), ring).pollTokens
    }

    @Test("say who it is and what they may hear of, until their time is over")
    func life() async throws {
        let tokens = try await tokens(ring)
        let (text, expires) = try tokens.issue(account: account, device: device, namespaces: namespaces)
        #expect(PollTokens.isMeant(by: text))
        #expect(expires == UInt64(clock.now().seconds) + PollToken.lifetime)
        let token = try tokens.verify(text)
        #expect(token == PollToken(account: account, device: device, namespaces: namespaces, expires: expires))
        clock.advance(by: .seconds(Int64(PollToken.lifetime) - 1))
        #expect(try tokens.verify(text) == token)
        clock.advance(by: .seconds(1))
        #expect(throws: FilesError(.unauthorized, "")) { try tokens.verify(text) }
        #expect(ring.reads == 1)
    }

    @Test("are not believed when they are changed, cut off, or another server's")
    func forged() async throws {
        let tokens = try await tokens(ring)
        let text = try tokens.issue(account: account, device: device, namespaces: namespaces).text
        let other = try await self.tokens(FixedKeyRing(.generate()))
        let foreign = try other.issue(account: account, device: device, namespaces: namespaces).text
        var bytes = Array(text.utf8)
        bytes[40] = bytes[40] == 0x41 ? 0x42 : 0x41
        let changed = String(decoding: bytes, as: UTF8.self)
        for bad in [foreign, changed, String(text.dropLast()), text + "A", PollToken.prefix, "cairn_\(text)", ""] {
            #expect(throws: FilesError(.unauthorized, "")) { try tokens.verify(bad) }
        }
    }

    @Test("name at most as many namespaces as fit")
    func many() async throws {
        let tokens = try await tokens(ring)
        let all = (0..<100 as Range<UInt64>).map { NamespaceID(high: 9, low: $0) }
        let text = try tokens.issue(account: account, device: device, namespaces: all).text
        #expect(try tokens.verify(text).namespaces == Array(all.prefix(PollToken.maximumNamespaces)))
    }

    @Test("of a key that came later are believed soon, without reading the ring for each")
    func rotation() async throws {
        let early = try await tokens(ring)
        let old = try early.issue(account: account, device: device, namespaces: namespaces).text
        ring.rotate()
        let late = try await tokens(ring)
        let new = try late.issue(account: account, device: device, namespaces: namespaces).text
        #expect(try late.verify(old).device == device)
        // Just read: not again so soon, whoever asks.
        for _ in 0..<5 { #expect(throws: FilesError(.unauthorized, "")) { try early.verify(new) } }
        #expect(ring.reads == 2)
        clock.advance(by: .seconds(10))
        #expect(try early.verify(new).device == device)
        #expect(try early.verify(old).device == device)
        #expect(ring.reads == 3)
        // What was started before the rotation signs so that all who were started then can read it.
        let still = try early.issue(account: account, device: device, namespaces: namespaces).text
        #expect(try late.verify(still).device == device)
        #expect(ring.reads == 3)
    }
}

@Suite("What a device may hear of")
struct FollowNamespacesTests {
    @Test("is its account's namespaces, the home first, and no other's")
    func own() async throws {
        let shop = try await Workshop()
        let (ada, eve) = (try await shop.account(), try await shop.account("eve"))
        let now = shop.clock.now()
        let others = [NamespaceID(high: 0, low: 1), NamespaceID(high: .max, low: 1)]
        try await shop.database.write { connection throws in
            for other in others { try NamespaceQueries(connection).create(other, owner: ada.account, at: now) }
        }
        let follow = FollowNamespaces(shop.context)
        #expect(try await follow.all(by: ada).map(\.namespace) == [ada.home] + others)
        try await follow.check([others[1], ada.home, ada.home], by: ada)
        await #expect(throws: FilesError(.notFound, "")) { try await follow.check([ada.home, eve.home], by: ada) }
        await #expect(throws: FilesError(.notFound, "")) { try await follow.check(others, by: eve) }
    }

    @Test("is nothing once it is revoked")
    func revoked() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let lost = try await shop.logIn(device: "lost").principal
        try await RevokeDevice(shop.context)(lost.device, by: ada)
        let follow = FollowNamespaces(shop.context)
        await #expect(throws: FilesError(.tokenRevoked, "")) { try await follow.all(by: lost) }
        await #expect(throws: FilesError(.tokenRevoked, "")) { try await follow.check([ada.home], by: lost) }
        #expect(try await follow.all(by: ada).count == 1)
    }

    @Test("is read as far as it is, and a namespace that is not there is left out")
    func heads() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let found = try await ReadHeads(shop.database)(of: [ada.home, NamespaceID(high: 4, low: 4)])
        #expect(found == [Cursor(namespace: ada.home, revision: .zero)])
    }

    @Test("revocations are listed for as long as a token might be believed")
    func revocations() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let list = ListRevocations(database: shop.database, clock: shop.clock)
        #expect(try await list() == [])
        let (first, second) = (try await shop.logIn(device: "a").principal, try await shop.logIn(device: "b").principal)
        try await RevokeDevice(shop.context)(first.device, by: ada)
        shop.clock.advance(by: .seconds(Int64(PollToken.lifetime)))
        try await RevokeDevice(shop.context)(second.device, by: ada)
        #expect(try await list() == [second.device, first.device])
        shop.clock.advance(by: .seconds(61))
        #expect(try await list() == [second.device])
    }
}
