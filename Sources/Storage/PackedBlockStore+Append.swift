import Model
import Synchronization

extension PackedBlockStore {
    /// Appends records; see ``BlockStore/append(_:)``.
    public func append(_ records: [[UInt8]]) async throws -> [PackLocation] {
        if records.isEmpty { return [] }
        for record in records {
            precondition(record.count <= PackFormat.maximumRecordLength, "a record of \(record.count) bytes")
        }
        let framed = records.map { FramedRecord($0) }
        let turn = try await withCheckedThrowingContinuation { (waiter: Waiter) in
            let admission = state.withLock { state -> Result<AppendQueue<Waiter>.Admission, StorageError> in
                if state.isClosed { return .failure(StorageError(.unavailable, "the store is closed")) }
                let admission = state.queue.admit(framed, waiter: waiter)
                guard admission == .refused else { return .success(admission) }
                state.statistics.refusedAppends += 1
                return .failure(
                    StorageError(.unavailable, "\(state.queue.waitingBytes) bytes are waiting to be written"))
            }
            switch admission {
            case .failure(let error): waiter.resume(throwing: error)
            case .success(.lead): waiter.resume(returning: .lead)
            case .success: break
            }
        }
        switch turn {
        case .done(let locations): return locations
        case .lead: return try await lead()
        }
    }

    /// Writes group after group until the leader's own records are done, then gives the lead away.
    private func lead() async throws(StorageError) -> [PackLocation] {
        let room = max(1, configuration.packSize - PackFormat.packHeaderLength)
        let limit = min(configuration.groupSize, room)
        while true {
            let group = state.withLock { $0.queue.nextGroup(limit: limit) }
            let outcome = await commit(group)
            let settlement = state.withLock { state in
                state.count(group, outcome)
                return state.queue.settle(group, outcome)
            }
            for (waiter, result) in settlement.finished {
                waiter.resume(with: result.map { .done($0) }.mapError { $0 })
            }
            if let own = settlement.own {
                handOver()
                return try own.get()
            }
        }
    }

    /// Does something that no write disturbs: it has the lead while it runs.
    func exclusively(_ body: () async -> Void) async {
        // An exclusive entry is never refused and never settled, so there is nothing to throw and no other turn.
        _ = try? await withCheckedThrowingContinuation { (waiter: Waiter) in
            if case .lead = state.withLock({ $0.queue.admitExclusive(waiter: waiter) }) {
                waiter.resume(returning: .lead)
            }
        }
        await body()
        state.withLock { $0.queue.finishExclusive() }
        handOver()
    }

    private func handOver() {
        state.withLock { $0.queue.handOver() }?.waiter.resume(returning: .lead)
    }

    /// Writes one group in every region.
    private func commit(_ group: AppendQueue<Waiter>.Group) async -> Result<[PackLocation], StorageError> {
        do {
            let pack = try await packWithRoom(for: group.frameBytes)
            return .success(try await write(group, to: pack))
        } catch {
            return .failure(error)
        }
    }

    private func write(
        _ group: AppendQueue<Waiter>.Group, to pack: OpenPack
    ) async throws(StorageError) -> [PackLocation] {
        let plan = GroupPlan(
            group.records, pack: pack.id, at: pack.size,
            reusing: state.withLock { state in
                defer { state.spare = [] }
                return state.spare
            })
        // A group larger than usual, of one large record, does not keep its memory.
        defer { if plan.bytes.count <= 2 * configuration.groupSize { state.withLock { $0.spare = plan.bytes } } }
        let failures = await onRegions(pack.holders) {
            try await $0.write(plan.bytes, to: plan.pack, at: plan.offset)
        }
        var written = pack
        written.size += UInt64(plan.bytes.count)
        written.holders.removeAll { failures[$0] != nil }
        do throws(StorageError) {
            try await accept(failures, of: pack.id, holders: written.holders)
        } catch {
            await withdraw(pack, failures)
            throw error
        }
        state.withLock { $0.openPack = written }
        return plan.locations
    }

    /// Lets failures pass when enough regions are left, once it is durable what the others lack.
    func accept(
        _ failures: [Int: StorageError], of pack: PackID, holders: [Int]
    ) async throws(StorageError) {
        if failures.isEmpty { return }
        if holders.count < minimumCopies { throw failure(of: failures) }
        remember(failures.keys.map { RepairList.Entry(region: regions[$0].name, pack: pack, task: .copy) })
        try await persistRepairs(requiring: holders)
    }
}

extension PackedBlockStore.State {
    fileprivate mutating func count(
        _ group: AppendQueue<PackedBlockStore.Waiter>.Group, _ outcome: Result<[PackLocation], StorageError>
    ) {
        guard case .success = outcome else {
            statistics.failedGroups += 1
            return
        }
        statistics.groups += 1
        statistics.appendedRecords += UInt64(group.records.count)
        statistics.appendedBytes += UInt64(group.records.reduce(0) { $0 + $1.payload.count })
    }
}
