import Model
import Storage
import StorageConformance
import Synchronization
import Testing

/// Retries: as many as allowed, for what may pass, and for nothing else.
@Suite struct RetryingBlockStoreTests {
    private func faulty(_ code: StorageError.Code, chance: Double) async throws -> FaultyBlockStore {
        var plan = FaultyBlockStore.Plan()
        plan.failedReads = chance
        plan.code = code
        return FaultyBlockStore(try await openStore([MemoryDisk()]), seed: 1, plan: plan)
    }

    @Test("a call is tried as often as allowed, with a pause before each repetition")
    func attempts() async throws {
        let base = try await faulty(.unavailable, chance: 1)
        let pauses = Mutex<[Int]>([])
        let store = RetryingBlockStore(base, attempts: 4) { attempt in pauses.withLock { $0.append(attempt) } }
        let location = try await store.append([[1, 2, 3]])[0]
        await #expect(throws: StorageError(.unavailable, "")) { _ = try await store.read(location) }
        #expect(base.failures == 4)
        #expect(pauses.withLock { $0 } == [1, 2, 3])
        base.plan.failedReads = 0
        #expect(try await store.read(location) == [1, 2, 3])
        try await store.close()
    }

    @Test(
        "what does not pass by itself is not tried again",
        arguments: [StorageError.Code.corrupt, .full, .notFound, .io])
    func permanent(code: StorageError.Code) async throws {
        let base = try await faulty(code, chance: 1)
        let store = RetryingBlockStore(base, attempts: 4) { _ in Issue.record("a pause for \(code)") }
        let location = try await store.append([[1]])[0]
        await #expect(throws: StorageError(code, "")) { _ = try await store.read([location]) }
        #expect(base.failures == 1)
    }

    @Test("a lost acknowledgement is made up for by another append")
    func lostAcknowledgement() async throws {
        let base = try await faulty(.unavailable, chance: 0)
        base.plan.lostAcknowledgements = 0.5
        let store = RetryingBlockStore(base, attempts: 20) { _ in }
        for number in 0..<20 {
            let bytes = [UInt8](repeating: UInt8(number), count: number)
            #expect(try await store.read(try await store.append([bytes])) == [bytes])
        }
        #expect(base.failures > 0)
    }

    @Test("a cancelled pause ends the retries")
    func cancelled() async throws {
        let base = try await faulty(.unavailable, chance: 1)
        let store = RetryingBlockStore(base, attempts: 4) { _ in throw CancellationError() }
        let location = try await store.append([[1]])[0]
        await #expect(throws: CancellationError.self) { _ = try await store.read(location) }
        #expect(base.failures == 1)
    }

    @Test("an error says what it is, and whether it may pass")
    func errors() {
        let error = StorageError(.full, "no room left in /srv", cause: "pwrite: No space left on device")
        #expect(error.description == "full: no room left in /srv (pwrite: No space left on device)")
        #expect(StorageError.Code.allCases.filter { StorageError($0, "").isRetryable } == [.unavailable])
        #expect(StorageError(.io, "one") == StorageError(.io, "other"))
        #expect(StorageError(.io, "one") != StorageError(.full, "one"))
    }
}
