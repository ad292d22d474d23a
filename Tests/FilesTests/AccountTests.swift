import Blocks
import Files
import Messaging
import Metadata
import Model
import Synchronization
import TestSupport
import Testing

@Suite("Accounts and devices")
struct AccountTests {
    @Test("an account has a home, a key and a hashed password")
    func create() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let record = try #require(try await shop.database.read { try AccountQueries($0).byName("ada") })
        #expect(record.home == ada.home)
        #expect(record.passwordHash.hasPrefix("$scrypt$"))
        #expect(!record.passwordHash.contains("horse"))
        #expect(record.wrappedKey.count == 60)
        #expect(try await shop.head(of: ada).revision == .zero)
        await #expect(throws: FilesError(.alreadyExists, "")) { try await shop.account() }
    }

    @Test(
        "names and passwords that are no such thing are refused",
        arguments: [
            ("", "correct horse"), ("a b", "correct horse"), ("a/b", "correct horse"), ("a\u{0}b", "correct horse"),
            (String(repeating: "n", count: 129), "correct horse"), ("ada", "short"),
            ("ada", String(repeating: "p", count: 1025)),
        ])
    func badNames(name: String, password: String) async throws {
        let shop = try await Workshop()
        let create = CreateAccount(
            database: shop.database, keyRing: FixedKeyRing(shop.keyRing), clock: shop.clock,
            randomness: shop.context.randomness, costs: ScryptPassword(logCost: 4))
        await #expect(throws: FilesError(.invalidRequest, "")) { try await create(name: name, password: password) }
    }

    @Test("a token opens the account; the server keeps its hash only")
    func token() async throws {
        let shop = try await Workshop()
        _ = try await shop.account()
        let session = try await shop.logIn()
        #expect(session.token.text.hasPrefix("cairn_"))
        #expect(session.token.text.count == 6 + 43)
        #expect(DeviceToken(session.token.text) == session.token)
        let authenticate = AuthenticateDevice(shop.context)
        #expect(try await authenticate(session.token.text) == session.principal)
        let record = try #require(
            try await shop.database.read { try DeviceQueries($0).byID(session.principal.device) })
        #expect(record.tokenHash == session.token.hash)
        #expect(try await shop.logIn().token != session.token)
    }

    @Test(
        "what is no token is refused",
        arguments: [
            "", "cairn_", "cairn_" + String(repeating: "A", count: 43), "cairn_" + String(repeating: "é", count: 43),
            "x",
        ])
    func noToken(text: String) async throws {
        let shop = try await Workshop()
        await #expect(throws: FilesError(.unauthorized, "")) { try await AuthenticateDevice(shop.context)(text) }
    }

    @Test("wrong passwords and wrong names can't be told apart")
    func wrongCredentials() async throws {
        let shop = try await Workshop()
        _ = try await shop.account()
        let logIn = try LogIn(shop.context)
        let wrong = try await #require(throws: FilesError(.wrongCredentials, "")) {
            try await logIn(account: "ada", password: "wrong horse", device: "x", from: "10.0.0.1")
        }
        let unknown = try await #require(throws: FilesError(.wrongCredentials, "")) {
            try await logIn(account: "eve", password: "wrong horse", device: "x", from: "10.0.0.2")
        }
        #expect(wrong.message == unknown.message)
        await #expect(throws: FilesError(.invalidRequest, "")) {
            try await logIn(account: "ada", password: "correct horse", device: "", from: "10.0.0.3")
        }
        await #expect(throws: FilesError(.wrongCredentials, "")) {
            try await logIn(
                account: "ada", password: String(repeating: "p", count: 5000), device: "x", from: "10.0.0.4")
        }
    }

    @Test("guessing is slowed down, for the account and for the address, and a wait is told")
    func throttled() async throws {
        let shop = try await Workshop()
        _ = try await shop.account()
        _ = try await shop.account("eve")
        let logIn = try LogIn(shop.context)
        for number in 0..<5 {
            await #expect(throws: FilesError(.wrongCredentials, "")) {
                try await logIn(account: "ada", password: "wrong horse", device: "x", from: "10.0.0.\(number)")
            }
        }
        let error = try await #require(throws: FilesError(.tooManyAttempts, "")) {
            try await logIn(account: "ada", password: "correct horse", device: "x", from: "10.0.0.99")
        }
        #expect(error.retryAfter == 1)
        _ = try await logIn(account: "eve", password: "correct horse", device: "x", from: "10.0.0.99")
        shop.clock.advance(by: .seconds(2))
        _ = try await logIn(account: "ada", password: "correct horse", device: "x", from: "10.0.0.99")
        for _ in 0..<5 {
            _ = try? await logIn(account: "nobody", password: "wrong horse", device: "x", from: "10.0.0.7")
        }
        await #expect(throws: FilesError(.tooManyAttempts, "")) {
            try await logIn(account: "eve", password: "correct horse", device: "x", from: "10.0.0.7")
        }
    }

    /// Two processes over one installation, whose attempts are counted together.
    private func together(_ elapsed: @escaping @Sendable () -> Duration) async throws -> (Workshop, [LogIn]) {
        let first = try await Workshop(loginLimiter: MemoryRateLimiter(elapsed: elapsed))
        let limiter = first.context.loginLimiter
        let second = try await Workshop(after: first, loginLimiter: limiter)
        _ = try await first.account("ada")
        _ = try await first.account("eve")
        return (first, try [first, second].map { try LogIn($0.context) })
    }

    @Test("processes that count together allow what one of them would in the long run")
    func throttledTogether() async throws {
        let time = Mutex(Duration.zero)
        let (shop, processes) = try await together { time.withLock { $0 } }
        for number in 0..<14 {
            // For the throttle of one process each attempt comes after its wait.
            shop.clock.advance(by: .seconds(600))
            await #expect(throws: FilesError(.wrongCredentials, "")) {
                try await processes[number % 2](
                    account: "ada", password: "wrong horse", device: "x", from: "10.0.0.\(number)")
            }
        }
        shop.clock.advance(by: .seconds(4000))
        for process in processes {
            let error = try await #require(throws: FilesError(.tooManyAttempts, "")) {
                try await process(account: "ada", password: "correct horse", device: "x", from: "10.0.0.99")
            }
            #expect(error.retryAfter == 900)
        }
        // Others are not meant, and one wait later one attempt is let in. A right one lets all go on.
        _ = try await processes[0](account: "eve", password: "correct horse", device: "x", from: "10.0.0.98")
        time.withLock { $0 += .seconds(900) }
        _ = try await processes[1](account: "ada", password: "correct horse", device: "x", from: "10.0.0.97")
        _ = try await processes[0](account: "ada", password: "correct horse", device: "x", from: "10.0.0.97")
    }

    @Test("an address that guesses is refused by all, and takes nothing from the accounts that it names")
    func addressesTogether() async throws {
        let (shop, processes) = try await together { .zero }
        for number in 0..<14 {
            shop.clock.advance(by: .seconds(4000))
            _ = try? await processes[number % 2](
                account: "nobody \(number)", password: "wrong horse", device: "x", from: "10.0.0.7")
        }
        shop.clock.advance(by: .seconds(4000))
        for number in 0..<20 {
            await #expect(throws: FilesError(.tooManyAttempts, "")) {
                try await processes[number % 2](
                    account: "ada", password: "correct horse", device: "x", from: "10.0.0.7")
            }
        }
        _ = try await processes[0](account: "ada", password: "correct horse", device: "x", from: "10.0.0.8")
    }

    @Test("a revoked token is refused at once, by its name, and no other is")
    func revocation() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let (lost, kept) = (try await shop.logIn(device: "lost"), try await shop.logIn(device: "kept"))
        let authenticate = AuthenticateDevice(shop.context)
        _ = try await authenticate(lost.token.text)
        _ = try await authenticate(kept.token.text)
        try await RevokeDevice(shop.context)(lost.principal.device, by: ada)
        #expect(shop.takeNotices() == ["revoked"])
        await #expect(throws: FilesError(.tokenRevoked, "")) { try await authenticate(lost.token.text) }
        #expect(try await authenticate(kept.token.text) == kept.principal)
        let devices = try await ListDevices(shop.context)(of: ada)
        #expect(devices.map(\.name) == ["laptop", "lost", "kept"])
        #expect(devices.map { $0.revoked != nil } == [false, true, false])
        await #expect(throws: FilesError(.tokenRevoked, "")) {
            try await FollowNamespaces(shop.context).check([ada.home], by: lost.principal)
        }
    }

    @Test("a revocation by another process is heeded when the memory of the answer has run out")
    func revokedElsewhere() async throws {
        let shop = try await Workshop()
        _ = try await shop.account()
        let session = try await shop.logIn()
        let authenticate = AuthenticateDevice(shop.context)
        _ = try await authenticate(session.token.text)
        let now = shop.clock.now()
        try await shop.database.write { try DeviceQueries($0).revoke(session.principal.device, at: now) }
        #expect(try await authenticate(session.token.text) == session.principal)
        shop.clock.advance(by: .seconds(3))
        await #expect(throws: FilesError(.tokenRevoked, "")) { try await authenticate(session.token.text) }
    }

    @Test("a device of another account can't be revoked")
    func othersDevice() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let eve = try await shop.account("eve")
        await #expect(throws: FilesError(.notFound, "")) { try await RevokeDevice(shop.context)(ada.device, by: eve) }
        #expect(try await ListDevices(shop.context)(of: eve).map(\.id) == [eve.device])
    }

    @Test("when a device was last heard of is noted, but not with each request")
    func lastSeen() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let session = try await shop.logIn()
        let authenticate = AuthenticateDevice(shop.context)
        func seen() async throws -> Timestamp? {
            try await ListDevices(shop.context)(of: ada).first { $0.id == session.principal.device }?.lastSeen
        }
        let login = try await seen()
        shop.clock.advance(by: .seconds(60))
        _ = try await authenticate(session.token.text)
        #expect(try await seen() == login)
        shop.clock.advance(by: .seconds(3600))
        _ = try await authenticate(session.token.text)
        #expect(try await seen() == shop.clock.now())
    }

    @Test("a new password takes the place of the old one; devices stay logged in")
    func changePassword() async throws {
        let shop = try await Workshop()
        _ = try await shop.account()
        let session = try await shop.logIn()
        let change = ChangePassword(
            database: shop.database, randomness: shop.context.randomness, costs: ScryptPassword(logCost: 4))
        try await change(name: "ada", password: "battery staple")
        await #expect(throws: FilesError(.wrongCredentials, "")) { try await shop.logIn() }
        _ = try await LogIn(shop.context)(account: "ada", password: "battery staple", device: "x", from: "10.0.0.1")
        #expect(try await AuthenticateDevice(shop.context)(session.token.text) == session.principal)
        await #expect(throws: FilesError(.notFound, "")) { try await change(name: "eve", password: "battery staple") }
        await #expect(throws: FilesError(.invalidRequest, "")) { try await change(name: "ada", password: "short") }
    }

    @Test("a rotation wraps every account's key anew, and what was stored is read as before")
    func rotation() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        _ = try await shop.account("eve")
        try await shop.write("/f", Array("hello".utf8), by: ada)
        let ring = shop.keyRing.rotated()
        #expect(try await RotateKeys(database: shop.database)(with: ring) == 2)
        #expect(try await RotateKeys(database: shop.database)(with: ring) == 0)
        let record = try #require(try await shop.database.read { try AccountQueries($0).byName("ada") })
        #expect(record.masterKey == 2)
        let context = FilesContext(
            database: shop.database, store: shop.store, keyRing: FixedKeyRing(ring), bus: shop.bus, clock: shop.clock,
            randomness: shop.context.randomness, workers: shop.context.workers, log: shop.context.log)
        let file = try await ReadFile(context)(RemotePath("/f"), in: ada.home, by: ada)
        #expect(try await file.read(0..<5).whole() == Array("hello".utf8))
        // A key ring without the key can't open it: the first workshop still holds the old ring, and a fresh memory.
        let stale = try await Workshop(after: shop, seed: 9)
        await #expect(throws: BlocksError(.unknownKey, "")) { try await stale.read("/f", by: ada) }
    }
}
