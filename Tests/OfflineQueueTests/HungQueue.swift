import Messaging
import Model
import Synchronization

/// A queue whose additions do not come back once it hangs, with a clock that a test lets strike.
final class HungQueue: OfflineQueueReplica {
    private struct State {
        var hangs = false
        var strikes = 0
        var pausing = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let base: any OfflineQueueReplica
    private let state = Mutex(State())

    init(_ base: any OfflineQueueReplica) {
        self.base = base
    }

    /// How many calls hang.
    var hangingCount: Int { state.withLock { $0.waiting.count } }

    func hang() { state.withLock { $0.hangs = true } }

    func release() {
        let waiting = state.withLock { state in
            state.hangs = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits until the clock strikes, or the task is cancelled.
    var pause: @Sendable (Duration) async throws -> Void {
        { [self] _ in
            let begun = state.withLock { state in
                state.pausing += 1
                return state.strikes
            }
            defer { state.withLock { $0.pausing -= 1 } }
            while state.withLock({ $0.strikes == begun }) {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
    }

    /// Waits until one call hangs and no other is on its way, then lets the clock strike.
    func strike() async {
        while state.withLock({ $0.waiting.count != 1 || $0.pausing != 1 }) { await Task.yield() }
        state.withLock { $0.strikes += 1 }
    }

    func add(_ additions: [QueueAddition], at moment: Timestamp) async throws {
        if state.withLock({ $0.hangs }) {
            await withCheckedContinuation { continuation in state.withLock { $0.waiting.append(continuation) } }
        }
        try await base.add(additions, at: moment)
    }

    func entries(of device: DeviceID, atMost limit: Int) async throws -> QueueDelivery {
        try await base.entries(of: device, atMost: limit)
    }

    func acknowledge(_ position: QueuePosition, by device: DeviceID) async throws -> [QueueEntry] {
        try await base.acknowledge(position, by: device)
    }

    func remove(_ devices: [DeviceID], at moment: Timestamp) async throws {
        try await base.remove(devices, at: moment)
    }

    func expire(before moment: Timestamp) async throws -> Int { try await base.expire(before: moment) }
    func depth() async throws -> QueueDepth { try await base.depth() }
    func close() async throws { try await base.close() }
    func settle(_ settled: [QueueAddition]) async throws { try await base.settle(settled) }
    func forget() async throws -> Int64 { try await base.forget() }

    func page(after device: DeviceID?, atMost limit: Int) async throws -> [QueuedDevice] {
        try await base.page(after: device, atMost: limit)
    }

    func adopt(_ devices: [QueuedDevice], forgotten: Int64, at moment: Timestamp) async throws {
        try await base.adopt(devices, forgotten: forgotten, at: moment)
    }

    func peerBehindSince() async throws -> Int64 { try await base.peerBehindSince() }
    func notePeerBehind(_ term: Int64) async throws { try await base.notePeerBehind(term) }
    func notePeerCaughtUp(_ term: Int64) async throws { try await base.notePeerCaughtUp(term) }
}
