import Blocks
import CoreMetrics
import Messaging
import Metadata
import Model
import Synchronization

/// Checks a password and makes a device of the account, with a token of its own.
///
/// Wrong accounts and wrong passwords can't be told apart, neither by the answer nor by the time that it takes. Attempts
/// are throttled by account and by address, and few passwords are hashed at once: each takes 32 MiB. Where processes count
/// together, all of them allow in the long run what one would.
public final class LogIn: Sendable {
    private let context: FilesContext
    private let hashing: WorkerPool
    private let throttle = Mutex(LoginThrottle())
    private let decoy: String

    /// What a login gives.
    public struct Session: Sendable {
        /// The token, shown this once.
        public let token: DeviceToken
        /// Who it acts for.
        public let principal: Principal
    }

    /// Makes the use case, which hashes at most `concurrency` passwords at once.
    /// - Throws: ``BlocksError`` when a password can't be hashed.
    public init(_ context: FilesContext, concurrency: Int = 1) throws {
        self.context = context
        hashing = WorkerPool(name: "cairn.password", workers: concurrency, waiting: 32)
        decoy = try context.limits.password.hash("", salt: context.randomness.bytes(16))
    }

    /// Logs a device in, which shall be called `device` (1 to 128 bytes). `address` is where the request comes from.
    /// - Throws: ``FilesError``: `wrongCredentials`, `tooManyAttempts`, `invalidRequest`.
    public func callAsFunction(
        account name: String, password: String, device: String, from address: String
    ) async throws -> Session {
        guard (1...128).contains(device.utf8.count) else {
            throw FilesError(.invalidRequest, "the name of a device has 1 to 128 bytes")
        }
        guard name.utf8.count <= 128, password.utf8.count <= AccountRules.longestPassword else { throw wrong }
        let attempt = ["account " + name, "address " + address]
        try await admit(attempt)
        let account = try await context.database.read { try AccountQueries($0).byName(name) }
        let stored = account?.passwordHash ?? decoy
        let matches = try await hashing.run { _ in try ScryptPassword.verify(password, against: stored) }
        guard let account, matches else {
            context.metrics.failedLogins.increment()
            throw wrong
        }
        throttle.withLock { $0.succeeded(attempt) }
        for key in attempt { await context.loginLimiter?.refill(key) }
        return try await register(device, account)
    }

    private var wrong: FilesError { FilesError(.wrongCredentials, "the account name or the password is wrong") }

    /// What all processes together allow: as many failures as pass the throttle of one before it waits the longest, and
    /// then one after each such wait.
    static let sharedRule = RateRule(burst: 14, interval: .seconds(LoginThrottle.longest))

    private func admit(_ attempt: [String]) async throws(FilesError) {
        let now = context.clock.now().seconds
        try refuse(throttle.withLock { $0.wait(attempt, now: now) })
        if let limiter = context.loginLimiter {
            // The address first: who is refused for it takes nothing from the account.
            for key in attempt.reversed() {
                guard case .refused(let wait) = await limiter.take(1, of: key, by: Self.sharedRule) else { continue }
                try refuse(max(1, wait.components.seconds))
            }
        }
        try refuse(
            throttle.withLock { throttle in
                let wait = throttle.wait(attempt, now: now)
                if wait == 0 { throttle.began(attempt, now: now) }
                return wait
            })
    }

    private func refuse(_ wait: Int64) throws(FilesError) {
        if wait > 0 {
            throw FilesError(
                .tooManyAttempts, "too many failed logins; try again in \(wait) s", retryAfter: Int(wait))
        }
    }

    private func register(_ name: String, _ account: AccountRecord) async throws -> Session {
        let token = DeviceToken(from: context.randomness)
        let now = context.clock.now()
        let device = DeviceRecord(
            id: context.randomness.identifier(), account: account.id, name: name, tokenHash: token.hash, created: now,
            lastSeen: now)
        try await context.database.write { try DeviceQueries($0).create(device) }
        return Session(
            token: token, principal: Principal(account: account.id, device: device.id, home: account.home))
    }
}
