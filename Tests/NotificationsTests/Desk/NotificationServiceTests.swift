import Messaging
import Model
import NotificationConformance
import Synchronization
import Testing

@testable import Notifications

@Suite("The driver that waits in tasks, in detail")
struct NotificationServiceTests {
    private let bus = InProcessChangeBus()
    private let service: NotificationService

    init() {
        var limits = PollLimits()
        limits.capacity = 8
        service = NotificationService(desk: PollDesk(bus: bus, limits: limits, clock: ImmediateClock()) { _ in [] })
    }

    /// Begins a poll and returns once it is parked.
    private func parked(_ device: UInt64, timeout: UInt32 = 60) async -> Task<PollAnswer, any Error> {
        let admitted = service.desk.statistics.admitted
        let task = Task<PollAnswer, any Error> { [service] in
            try await service.poll(
                cursors: [Polling.cursor(1, at: 0)], device: Polling.device(device), timeout: timeout)
        }
        while service.desk.statistics.admitted == admitted { await Task.yield() }
        return task
    }

    @Test("a change wakes the polls that wait for it")
    func wakes() async throws {
        let (first, second) = (await parked(1), await parked(2))
        await bus.publish(Polling.uploaded(2, to: 1))
        await bus.publish(Polling.uploaded(1, to: 1))
        #expect(try await first.value == Polling.moved(1, to: 1))
        #expect(try await second.value == Polling.moved(1, to: 1))
        #expect(service.parkedCount == 0)
    }

    @Test("the task of a poll that ended while it parked is answered")
    func endsWhileParking() async throws {
        await bus.publish(.revoked(Polling.device(1)))
        let answer = try await service.poll(
            cursors: [Polling.cursor(1, at: 0)], device: Polling.device(1), timeout: 60)
        #expect(answer == .revoked)
    }

    @Test("a cancelled task leaves no poll behind")
    func cancellation() async throws {
        let task = await parked(1)
        task.cancel()
        #expect(try await task.value == .disconnected)
        #expect(service.parkedCount == 0)
    }

    @Test("a task that was cancelled before it polls does not wait")
    func cancelledBefore() async throws {
        let (gate, open) = AsyncStream<Void>.makeStream()
        let task = Task { [service] in
            for await _ in gate {}
            return try await service.poll(
                cursors: [Polling.cursor(1, at: 0)], device: Polling.device(1), timeout: 60)
        }
        task.cancel()
        open.finish()
        #expect(try await task.value == .disconnected)
        #expect(service.parkedCount == 0)
    }

    @Test("more polls than there is room for are refused, and nothing waits for them")
    func overload() async throws {
        var tasks: [Task<PollAnswer, any Error>] = []
        for device in 1...8 { tasks.append(await parked(UInt64(device))) }
        await #expect(throws: PollError.overloaded) {
            try await service.poll(cursors: [Polling.cursor(1, at: 0)], device: Polling.device(9), timeout: 60)
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
            cursors: [Polling.cursor(1, at: 0)], device: Polling.device(2), timeout: 60)
        #expect(late == .closing)
    }

    @Test("a service that runs moves the time on")
    func time() async throws {
        let task = await parked(1, timeout: 5)
        let run = Task { [service] in try await service.run() }
        #expect(try await task.value == .timedOut)
        run.cancel()
        try await run.value
    }
}
