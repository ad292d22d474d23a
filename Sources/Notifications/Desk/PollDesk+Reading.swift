import Model
import ServiceLifecycle

extension PollDesk {
    /// Reads heads and moves the time on until the server stops, then ends all polls in waves. It is run once.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.readHeads() }
                group.addTask { await self.keepTime(by: self.clock) }
            }
        }
        await drain()
    }

    /// Reads heads and revocations until the task is cancelled: what ``run()`` does, without the time. It is run once, and
    /// not beside ``run()``.
    public func readHeads() async {
        await withTaskGroup(of: Void.self) { group in
            for reader in 0..<limits.readers {
                group.addTask { await self.read(as: reader) }
            }
            group.addTask { await self.readRevocations() }
        }
    }

    private func keepTime(by clock: some Clock<Duration>) async {
        let start = clock.now
        while !Task.isCancelled {
            advance(to: UInt64(max(0, start.duration(to: clock.now).components.seconds)))
            await rest(.seconds(1))
        }
    }

    private func read(as reader: Int) async {
        var failures = 0
        for await _ in bells.rings(for: reader) {
            while !Task.isCancelled {
                let batch = step { $0.nextBatch(for: reader, atMost: limits.batch) }
                if batch.isEmpty { break }
                failures = await read(batch) ? 0 : failures + 1
                if failures > 0 {
                    await rest(Self.pause(after: failures))
                } else if batch.count < limits.batch {
                    await rest(limits.gathering)
                }
            }
        }
    }

    /// Reads the heads of a batch; whatever happens, the batch goes back to the hub.
    private func read(_ batch: [NamespaceID]) async -> Bool {
        do {
            var found: [Cursor] = []
            let duration = try await measure(by: clock) { found = try await heads(batch) }
            if found.count < batch.count {
                let known = Set(found.map(\.namespace))
                found += batch.lazy.filter { !known.contains($0) }.map { Cursor(namespace: $0, revision: .zero) }
            }
            step { state in
                state.hub.learn(heads: found, into: &state.ended)
                state.counts.headsRead += UInt64(batch.count)
                // A short batch shows what there was to read, not what could have been.
                guard batch.count == limits.batch else { return }
                state.admission.measured(heads: batch.count, in: duration, readers: limits.readers)
            }
            return true
        } catch {
            // Counted, and tried again: what can't be read now waits, and is not lost.
            step { state in
                state.hub.unread(batch)
                state.counts.failedReads += 1
                state.admission.failed()
            }
            return false
        }
    }

    private func measure(
        by clock: some Clock<Duration>, _ work: () async throws -> Void
    ) async throws -> Duration {
        let start = clock.now
        try await work()
        return start.duration(to: clock.now)
    }

    /// Reads who was revoked, at the start and after each gap.
    private func readRevocations() async {
        bells.ringForGap()
        for await _ in bells.gaps {
            var failures = 0
            while !Task.isCancelled {
                do {
                    let devices = try await revocations()
                    step { state in
                        for device in devices { state.hub.revoke(device, into: &state.ended) }
                    }
                    break
                } catch {
                    step { $0.counts.failedReads += 1 }
                    failures += 1
                    await rest(Self.pause(after: failures))
                }
            }
        }
    }

    /// The pause after so many failures in a row: a tenth of a second, doubled up to five seconds.
    static func pause(after failures: Int) -> Duration {
        min(.milliseconds(100 << min(failures - 1, 6)), .seconds(5))
    }
}
