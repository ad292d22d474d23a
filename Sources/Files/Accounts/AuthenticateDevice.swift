import Messaging
import Metadata
import Model
import Synchronization

/// Finds out who a token belongs to.
///
/// Answers are remembered for a few seconds. A revocation on this server's bus takes effect at once; one by another
/// process on the same database takes effect when the memory has run out.
public final class AuthenticateDevice: Sendable {
    private struct Known: Sendable {
        let principal: Principal
        let until: Timestamp
    }

    private struct Memory {
        var known: [Digest: Known] = [:]
        /// Counts revocations, so that an answer read before one is not remembered after it.
        var generation = 0
    }

    private let context: FilesContext
    private let memory = Mutex(Memory())
    private let subscription = Mutex<BusSubscription?>(nil)

    /// For how long an answer is remembered.
    static let remembered = Duration.seconds(2)
    /// The most answers that are remembered.
    static let capacity = 10_000
    /// How exact "last seen" is: a write for each request would be too dear.
    static let seenExactness = Duration.seconds(600)

    /// Makes the use case.
    public init(_ context: FilesContext) {
        self.context = context
        let subscribed = context.bus.subscribe { [weak self] event in
            if case .revoked(let device) = event.message { self?.forget(device) }
        }
        subscription.withLock { $0 = subscribed }
    }

    /// Finds the principal of a token.
    /// - Throws: ``FilesError``: `unauthorized` for a token that was never given, `tokenRevoked`.
    public func callAsFunction(_ text: String) async throws -> Principal {
        guard let token = DeviceToken(text) else {
            throw FilesError(.unauthorized, "the token is not known; log in for one")
        }
        let hash = token.hash
        let now = context.clock.now()
        let (known, generation) = memory.withLock { ($0.known[hash], $0.generation) }
        if let known, known.until > now { return known.principal }
        let device = try await find(hash)
        let principal = try await principal(of: device)
        remember(hash, Known(principal: principal, until: now.advanced(by: Self.remembered)), generation)
        if device.lastSeen.map({ $0.advanced(by: Self.seenExactness) < now }) ?? true {
            try await context.database.write { try DeviceQueries($0).touch(device.id, at: now) }
        }
        return principal
    }

    private func find(_ hash: Digest) async throws -> DeviceRecord {
        let found = try await context.database.read { connection in
            let devices = DeviceQueries(connection)
            return (device: try devices.byTokenHash(hash), revoked: try devices.isRevoked(tokenHash: hash))
        }
        if found.revoked { throw FilesError(.tokenRevoked, "the device was revoked; log in again") }
        guard let device = found.device else {
            throw FilesError(.unauthorized, "the token is not known; log in for one")
        }
        return device
    }

    private func principal(of device: DeviceRecord) async throws -> Principal {
        guard let account = try await context.database.read({ try AccountQueries($0).byID(device.account) }) else {
            throw FilesError(.unauthorized, "the account of the device is gone")
        }
        return Principal(account: account.id, device: device.id, home: account.home)
    }

    private func remember(_ hash: Digest, _ known: Known, _ generation: Int) {
        memory.withLock { memory in
            guard memory.generation == generation else { return }
            if memory.known.count >= Self.capacity { memory.known.removeAll(keepingCapacity: true) }
            memory.known[hash] = known
        }
    }

    private func forget(_ device: DeviceID) {
        memory.withLock { memory in
            memory.generation += 1
            memory.known = memory.known.filter { $0.value.principal.device != device }
        }
    }
}
