import Messaging
import Model
import Synchronization
import Testing

@testable import Notifications

@Suite("The notification service")
struct NotificationServiceTests {
    private let bus = InProcessChangeBus()
    private let service: NotificationService

    init() { service = NotificationService(bus: bus, capacity: 8) }

    /// Begins a poll and returns once it is parked and has compared.
    private func parked(
        _ device: UInt64, at revision: UInt64 = 0, timeout: UInt64 = 60
    ) async -> Task<PollAnswer, any Error> {
        let service = service
        let before = service.parkedCount
        return await withCheckedContinuation { continuation in
            let task = Mutex<Task<PollAnswer, any Error>?>(nil)
            let (start, go) = AsyncStream<Void>.makeStream()
            let made = Task<PollAnswer, any Error> {
                for await _ in start {}
                return try await service.poll(
                    cursors: [Polling.cursor(1, at: revision)], device: Polling.device(device), timeout: timeout
                ) {
                    #expect(service.parkedCount >= before, "the poll is parked before the heads are read")
                    continuation.resume(returning: task.withLock { $0! })
                    return [Polling.cursor(1, at: revision)]
                }
            }
            task.withLock { $0 = made }
            go.finish()
        }
    }

    @Test("a change wakes the polls that wait for it")
    func wakes() async throws {
        let first = await parked(1)
        let second = await parked(2)
        await bus.publish(Polling.uploaded(2, to: 1))
        await bus.publish(Polling.uploaded(1, to: 1))
        #expect(try await first.value == Polling.moved(1, to: 1))
        #expect(try await second.value == Polling.moved(1, to: 1))
        #expect(service.parkedCount == 0)
    }

    @Test("a change while the heads are read is not lost")
    func changeDuringRead() async throws {
        let answer = try await service.poll(
            cursors: [Polling.cursor(1, at: 3)], device: Polling.device(1), timeout: 60
        ) {
            await bus.publish(Polling.uploaded(1, to: 4))
            return [Polling.cursor(1, at: 3)]
        }
        #expect(answer == Polling.moved(1, to: 4))
    }

    @Test("a head that is ahead already is told at once")
    func headAhead() async throws {
        let answer = try await service.poll(
            cursors: [Polling.cursor(1, at: 3)], device: Polling.device(1), timeout: 60
        ) { [Polling.cursor(1, at: 8)] }
        #expect(answer == Polling.moved(1, to: 8))
    }

    @Test("a poll without patience looks and ends")
    func noTimeout() async throws {
        let answer = try await service.poll(
            cursors: [Polling.cursor(1, at: 3)], device: Polling.device(1), timeout: 0
        ) { [Polling.cursor(1, at: 3)] }
        #expect(answer == .timedOut)
        #expect(service.parkedCount == 0)
    }

    @Test("a poll whose heads can't be read is forgotten")
    func headsFail() async throws {
        struct Broken: Error {}
        await #expect(throws: Broken.self) {
            try await service.poll(cursors: [Polling.cursor(1, at: 3)], device: Polling.device(1), timeout: 60) {
                throw Broken()
            }
        }
        #expect(service.parkedCount == 0)
    }

    @Test("a device's revocation ends its poll")
    func revocation() async throws {
        let revoked = await parked(1)
        let other = await parked(2)
        await bus.publish(.revoked(Polling.device(1)))
        #expect(try await revoked.value == .revoked)
        #expect(service.parkedCount == 1)
        await bus.publish(Polling.uploaded(1, to: 1))
        #expect(try await other.value == Polling.moved(1, to: 1))
    }

    @Test("the second poll of a device ends the first")
    func replacement() async throws {
        let first = await parked(1)
        let second = await parked(1)
        #expect(try await first.value == .replaced)
        await bus.publish(Polling.uploaded(1, to: 1))
        #expect(try await second.value == Polling.moved(1, to: 1))
    }

    @Test("a cancelled task leaves no poll behind")
    func cancellation() async throws {
        let task = await parked(1)
        task.cancel()
        #expect(try await task.value == .disconnected)
        #expect(service.parkedCount == 0)
    }

    @Test("a poll ends when its time is over")
    func timeout() async throws {
        let task = await parked(1, timeout: 30)
        service.advance(to: .seconds(30))
        #expect(service.parkedCount == 1)
        service.advance(to: .seconds(31))
        #expect(try await task.value == .timedOut)
    }

    @Test("more polls than there is room for are refused")
    func overload() async throws {
        var tasks: [Task<PollAnswer, any Error>] = []
        for device in 1...8 { tasks.append(await parked(UInt64(device))) }
        await #expect(throws: PollError.overloaded) {
            try await service.poll(cursors: [Polling.cursor(1, at: 0)], device: Polling.device(9), timeout: 60) { [] }
        }
        service.drain()
        for task in tasks { #expect(try await task.value == .closing) }
    }

    @Test("a service that stops answers what is parked and what comes")
    func stop() async throws {
        let task = await parked(1)
        let run = Task { [service] in try await service.run() }
        run.cancel()
        try await run.value
        #expect(try await task.value == .closing)
        let late = try await service.poll(
            cursors: [Polling.cursor(1, at: 0)], device: Polling.device(2), timeout: 60
        ) { [Polling.cursor(1, at: 0)] }
        #expect(late == .closing)
    }
}
