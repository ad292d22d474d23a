public import Model
import Synchronization

/// A queue whose storage may not be there: it is opened when it is first asked, and anew each time it has to forget.
///
/// So a server starts while the storage of one replica is away, and uses it once it is back.
public final class ReopeningOfflineQueue: OfflineQueueReplica {
    private struct State {
        var open: (any OfflineQueueReplica)?
        var isClosed = false
    }

    private let name: String
    private let make: @Sendable () async throws -> any OfflineQueueReplica
    private let state = Mutex(State())

    /// Makes a queue that is opened later.
    /// - Parameters:
    ///   - name: what it is called in errors.
    ///   - make: opens the storage; it is called again after what it made has failed.
    public init(_ name: String, _ make: @escaping @Sendable () async throws -> any OfflineQueueReplica) {
        self.name = name
        self.make = make
    }

    /// Opens the storage, and forgets what is in it.
    public func forget() async throws -> Int64 { try await reopened().forget() }

    /// Asks the storage, which is opened if it is not open.
    public func peerBehindSince() async throws -> Int64 {
        if let base = state.withLock({ $0.open }) { return try await base.peerBehindSince() }
        return try await reopened().peerBehindSince()
    }

    /// Passes on.
    public func add(_ additions: [QueueAddition], at moment: Timestamp) async throws {
        try await base.add(additions, at: moment)
    }

    /// Passes on.
    public func entries(of device: DeviceID, atMost limit: Int) async throws -> QueueDelivery {
        try await base.entries(of: device, atMost: limit)
    }

    /// Passes on.
    @discardableResult
    public func acknowledge(_ position: QueuePosition, by device: DeviceID) async throws -> [QueueEntry] {
        try await base.acknowledge(position, by: device)
    }

    /// Passes on.
    public func remove(_ devices: [DeviceID], at moment: Timestamp) async throws {
        try await base.remove(devices, at: moment)
    }

    /// Passes on.
    @discardableResult
    public func expire(before moment: Timestamp) async throws -> Int { try await base.expire(before: moment) }

    /// Passes on.
    public func depth() async throws -> QueueDepth { try await base.depth() }

    /// Passes on.
    public func settle(_ settled: [QueueAddition]) async throws { try await base.settle(settled) }

    /// Passes on.
    public func page(after device: DeviceID?, atMost limit: Int) async throws -> [QueuedDevice] {
        try await base.page(after: device, atMost: limit)
    }

    /// Passes on.
    public func adopt(_ devices: [QueuedDevice], forgotten: Int64, at moment: Timestamp) async throws {
        try await base.adopt(devices, forgotten: forgotten, at: moment)
    }

    /// Passes on.
    public func notePeerBehind(_ term: Int64) async throws { try await base.notePeerBehind(term) }

    /// Passes on.
    public func notePeerCaughtUp(_ term: Int64) async throws { try await base.notePeerCaughtUp(term) }

    /// Closes the storage, if it is open; it is not opened any more.
    public func close() async throws {
        let open = state.withLock { state in
            state.isClosed = true
            return state.open.take()
        }
        try await open?.close()
    }

    private var base: any OfflineQueueReplica {
        get throws {
            guard let open = state.withLock({ $0.open }) else {
                throw QueueError(.unavailable, "the storage of the \(name) is not open")
            }
            return open
        }
    }

    /// A storage that was opened just now, in place of the one before.
    private func reopened() async throws -> any OfflineQueueReplica {
        let fresh = try await make()
        let (isClosed, old) = state.withLock { state in
            let old = state.open
            if !state.isClosed { state.open = fresh }
            return (state.isClosed, old)
        }
        if isClosed {
            try await fresh.close()
            return try base
        }
        // Why the old one was given up is known; that it can't be closed properly is no news.
        try? await old?.close()
        return fresh
    }
}
