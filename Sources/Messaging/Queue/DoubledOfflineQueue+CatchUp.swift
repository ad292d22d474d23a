public import Model
import Synchronization

extension DoubledOfflineQueue {
    /// Brings back what was out, as far as that is due. To be called about once a second, one call at a time; the first
    /// call finds out what the replicas hold.
    /// - Parameter moment: The present.
    /// - Returns: Whether a replica came back without another to take over from: then what the journal knows is to be
    ///   filled in.
    @discardableResult
    public func maintain(at moment: Timestamp) async -> Bool {
        if !state.withLock({ $0.hasBegun }) { await begin() }
        let now = elapsed()
        var wantsFilling = false
        for way in state.withLock({ $0.failover.due(at: now) }) {
            do {
                try await bringBack(way, at: moment)
                if !way.isFromPeer { wantsFilling = true }
            } catch {
                // The call that failed has put its replica out, and was counted; the way begins anew when it is due.
                continue
            }
        }
        return wantsFilling
    }

    private func begin() async {
        var words: [QueueFailover.Word] = []
        var newest: Int64 = 0
        for side in Side.allCases {
            do {
                let term = try await call(side) { try await $0.peerBehindSince() }
                newest = max(newest, term)
                words.append(term == 0 ? .complete : .peerBehind)
            } catch {
                words.append(.unreachable)
            }
        }
        state.withLock { [words, newest] state in
            state.failover.begin(first: words[0], second: words[1], term: newest)
            state.hasBegun = true
        }
    }

    private func bringBack(_ way: QueueFailover.CatchUp, at moment: Timestamp) async throws {
        let forgotten = try await call(way.side, within: limits.page) { try await $0.forget() }
        guard state.withLock({ $0.failover.reset(way) }) else { return }
        if way.isFromPeer { try await takeOver(way, forgotten, at: moment) }
        guard let term = state.withLock({ $0.failover.finished(way) }), way.isFromPeer else { return }
        // Only now: until then a process that ends here has to begin anew. What the one that came back had noted of the
        // other is void, since it has no more than the other has.
        for side in [way.side, way.side.other] {
            try await call(side) { try await $0.notePeerCaughtUp(term) }
            state.withLock { state in
                if state.noted[side.rawValue] <= term { state.noted[side.rawValue] = 0 }
            }
        }
    }

    private func takeOver(_ way: QueueFailover.CatchUp, _ forgotten: Int64, at moment: Timestamp) async throws {
        var last: DeviceID?
        while state.withLock({ $0.failover.isRunning(way) }) {
            let (after, size) = (last, limits.pageSize)
            let page = try await call(way.side.other, within: limits.page) {
                try await $0.page(after: after, atMost: size)
            }
            guard let newest = page.last?.device else { return }
            try await call(way.side, within: limits.page) {
                try await $0.adopt(page, forgotten: forgotten, at: moment)
            }
            last = newest
        }
    }
}

/// What of a doubled queue is worth watching.
public struct DoubledQueueStatus: Hashable, Sendable {
    /// The replica that is read: 0 for the first, 1 for the second; nil when none can be.
    public let read: Int?
    /// Whether each replica is written.
    public let isWritten: [Bool]
    /// How many calls to each replica have failed.
    public let failures: [Int]
    /// What the last failed call to each said; nil when none failed.
    public let lastFailures: [String?]
}

extension DoubledOfflineQueue {
    /// How the two are.
    public var status: DoubledQueueStatus {
        state.withLock { state in
            let writable = state.failover.writable
            return DoubledQueueStatus(
                read: state.failover.readable?.rawValue, isWritten: Side.allCases.map { writable.contains($0) },
                failures: state.failureCounts, lastFailures: state.lastFailures)
        }
    }
}
