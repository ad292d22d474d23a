import Messaging
import Model
import NotificationConformance
import Synchronization
import Testing

@testable import Notifications

@Suite("The desk")
struct PollDeskTests {
    /// A driver that keeps what it is told.
    private final class Inbox: Sendable {
        private let ended = Mutex<[NotificationHub.Ended]>([])

        var owners: [UInt64] { ended.withLock { $0.map(\.owner) } }
        var answers: [PollAnswer] { ended.withLock { $0.map(\.answer) } }

        func take(_ more: [NotificationHub.Ended]) { ended.withLock { $0 += more } }
    }

    private let bus = LossyChangeBus()
    private let journal = PollJournal()

    private func desk(
        limits: PollLimits = PollLimits(), revocations: @escaping PollDesk.RevocationReader = { [] }
    ) -> PollDesk {
        PollDesk(bus: bus, limits: limits, clock: ImmediateClock(), revocations: revocations) { [journal] in
            try journal.heads(of: $0)
        }
    }

    private func waitUntil(_ condition: () -> Bool) async {
        while !condition() { await Task.yield() }
    }

    /// Runs the reading of a desk for as long as a test takes.
    private func reading(_ desk: PollDesk, _ test: () async throws -> Void) async throws {
        let reading = Task { await desk.readHeads() }
        do {
            try await test()
        } catch {
            reading.cancel()
            throw error
        }
        reading.cancel()
        await reading.value
    }

    @Test("each driver hears of its polls and of no others, by the owner that it gave")
    func drivers() async throws {
        let desk = desk()
        let (first, second) = (Inbox(), Inbox())
        let (one, other) = (desk.register(first.take), desk.register(second.take))
        for device in 1...6 as ClosedRange<UInt64> {
            try desk.park(
                driver: device % 2 == 0 ? one : other, device: Polling.device(device),
                cursors: [Polling.cursor(1, at: 0)], timeout: 60, owner: (1 << 56) - device)
        }
        await bus.publish(Polling.uploaded(1, to: 1))
        #expect(Set(first.owners) == Set([2, 4, 6].map { (1 << 56) - $0 }))
        #expect(Set(second.owners) == Set([1, 3, 5].map { (1 << 56) - $0 }))
    }

    @Test("a device that goes to another driver is replaced at the first")
    func movesOver() throws {
        let desk = desk()
        let (first, second) = (Inbox(), Inbox())
        let (one, other) = (desk.register(first.take), desk.register(second.take))
        try desk.park(driver: one, device: Polling.device(1), cursors: [], timeout: 60, owner: 7)
        try desk.park(driver: other, device: Polling.device(1), cursors: [], timeout: 60, owner: 7)
        #expect(first.answers == [.replaced])
        #expect(second.answers.isEmpty)
    }

    @Test("a driver may park from within its delivery, and hears of that afterwards")
    func parksWhileDelivering() async throws {
        let desk = desk()
        let inbox = Inbox()
        let driver = Mutex<DriverID?>(nil)
        let depth = Mutex(0)
        let id = desk.register { ended in
            let isNested = depth.withLock { depth in
                depth += 1
                return depth > 1
            }
            #expect(!isNested, "deliveries to one driver take turns")
            inbox.take(ended)
            for end in ended where end.owner < 5 {
                // Ends at once: the device was revoked.
                _ = try? desk.park(
                    driver: driver.withLock { $0! }, device: Polling.device(9), cursors: [], timeout: 60,
                    owner: end.owner + 1)
            }
            depth.withLock { $0 -= 1 }
        }
        driver.withLock { $0 = id }
        await bus.publish(.revoked(Polling.device(9)))
        try desk.park(driver: id, device: Polling.device(9), cursors: [], timeout: 60, owner: 1)
        #expect(inbox.owners == [1, 2, 3, 4, 5])
    }

    @Test("many threads that park, end and deliver at once lose nothing")
    func threads() async throws {
        let desk = desk()
        let inbox = Inbox()
        let driver = desk.register(inbox.take)
        let (workers, each) = (8, 300)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<workers {
                group.addTask {
                    for number in 0..<each {
                        let owner = UInt64(worker * each + number)
                        let ticket = try? desk.park(
                            driver: driver, device: Polling.device(owner),
                            cursors: [Polling.cursor(UInt64(number % 7), at: 0)], timeout: 60, owner: owner)
                        guard let ticket, number % 3 == 0 else { continue }
                        desk.disconnect(ticket)
                    }
                }
            }
            for name in 0..<7 as Range<UInt64> {
                group.addTask { [bus] in await bus.publish(Polling.uploaded(name, to: 1)) }
            }
        }
        while desk.drainWave(100) > 0 {}
        #expect(inbox.owners.count == workers * each)
        #expect(Set(inbox.owners).count == workers * each)
    }

    @Test("heads are read in batches of the size that is allowed")
    func batches() async throws {
        var limits = PollLimits()
        limits.batch = 10
        let desk = desk(limits: limits)
        let driver = desk.register { _ in }
        for number in 0..<95 as Range<UInt64> {
            _ = try? desk.park(
                driver: driver, device: Polling.device(number), cursors: [Polling.cursor(number, at: 0)], timeout: 60,
                owner: number)
        }
        try await reading(desk) {
            await waitUntil { desk.statistics.unread == 0 }
            #expect(journal.largestReading == 10)
            #expect(desk.statistics.headsRead >= 20)
        }
    }

    @Test("polls beyond what can be read for are sent away, and let in when it was read")
    func admission() async throws {
        var limits = PollLimits()
        (limits.batch, limits.readers, limits.waiting) = (5, 2, 20)
        let desk = desk(limits: limits)
        let driver = desk.register { _ in }
        func park(_ number: UInt64) throws {
            try desk.park(
                driver: driver, device: Polling.device(number), cursors: [Polling.cursor(number, at: 0)], timeout: 60,
                owner: number)
        }
        for number in 0..<20 as Range<UInt64> { try park(number) }
        let refusal = #expect(throws: PollError.self) { try park(20) }
        guard case .refused(let seconds) = refusal else {
            Issue.record("it was told \(String(describing: refusal))")
            return
        }
        #expect(seconds >= 1)
        #expect(desk.statistics.refused == 1)
        try await reading(desk) {
            await waitUntil { desk.statistics.unread == 0 }
            try park(20)
        }
    }

    @Test("revocations are read at the start and after a gap, and tried again when that fails")
    func revocations() async throws {
        struct Broken: Error {}
        let state = Mutex<(calls: Int, devices: [DeviceID])>((0, [Polling.device(1)]))
        let desk = desk {
            try state.withLock { state throws in
                state.calls += 1
                if state.calls % 2 == 1 { throw Broken() }
                return state.devices
            }
        }
        let inbox = Inbox()
        let driver = desk.register(inbox.take)
        for device in 1...2 as ClosedRange<UInt64> {
            try desk.park(driver: driver, device: Polling.device(device), cursors: [], timeout: 60, owner: device)
        }
        try await reading(desk) {
            await waitUntil { desk.isRevoked(Polling.device(1)) }
            #expect(inbox.owners == [1])
            state.withLock { $0.devices.append(Polling.device(2)) }
            bus.lose()
            await bus.publish(Polling.uploaded(5, to: 1))
            await waitUntil { desk.isRevoked(Polling.device(2)) }
            #expect(inbox.owners == [1, 2])
            #expect(inbox.answers == [.revoked, .revoked])
        }
    }

    @Test("a namespace that does not exist is known to be at its beginning")
    func missingNamespace() async throws {
        let desk = desk()
        let inbox = Inbox()
        let driver = desk.register(inbox.take)
        try await reading(desk) {
            try desk.park(
                driver: driver, device: Polling.device(1), cursors: [Polling.cursor(1, at: 0)], timeout: 0, owner: 1)
            await waitUntil { !inbox.answers.isEmpty }
            #expect(inbox.answers == [.timedOut])
        }
    }

    @Test("a desk that stops ends its polls in waves with pauses")
    func drains() async throws {
        var limits = PollLimits()
        (limits.wave, limits.waves, limits.pause) = (10, 4, .seconds(3))
        let clock = ImmediateClock()
        let desk = PollDesk(bus: bus, limits: limits, clock: clock) { _ in [] }
        let waves = Mutex<[Int]>([])
        let driver = desk.register { ended in waves.withLock { $0.append(ended.count) } }
        for number in 0..<100 as Range<UInt64> {
            try desk.park(driver: driver, device: Polling.device(number), cursors: [], timeout: 60, owner: number)
        }
        await desk.drain()
        #expect(waves.withLock { $0 } == [26, 26, 26, 22])
        #expect(clock.now == ImmediateClock().now.advanced(by: .seconds(9)))
    }

    @Test("pauses after failures grow, and not without end")
    func pauses() {
        #expect(PollDesk.pause(after: 1) == .milliseconds(100))
        #expect(PollDesk.pause(after: 2) == .milliseconds(200))
        #expect(PollDesk.pause(after: 1000) == .seconds(5))
    }
}
