import Glibc
import Messaging
import MessagingRedis
import Model
import NotificationConformance
import Notifications
import RedisSupport
import TestSupport
import Testing

/// One machine commits, another one parks the polls, and Redis is between them.
@Suite(.serialized, .timeLimit(.minutes(1))) struct WakeUpTests {
    private struct Machines {
        let wires: RedisWires
        /// The truth that both see.
        let journal = PollJournal()
        let service: NotificationService
        let running: Task<Void, any Error>

        static let namespace = NamespaceID(high: 7, low: 1)

        init() async throws {
            wires = try await RedisWires()
            let service = NotificationService(
                desk: PollDesk(bus: wires.buses[1]) { [journal] in try journal.heads(of: $0) })
            self.service = service
            running = Task { try await service.run() }
            // The first gap is behind it: it has looked at the journal.
            try await Patience.until { service.desk.statistics.unread == 0 }
        }

        /// Makes a commit at the first machine, and tells of it there.
        @discardableResult
        func commit() async -> Revision {
            let revision = journal.commit(to: Self.namespace)
            let notice = ChangeNotice(
                namespace: Self.namespace, revision: revision, kind: .uploaded, device: DeviceID(high: 0, low: 9))
            await wires.buses[0].publish(.changed(notice))
            return revision
        }

        /// A poll at the second machine that has seen everything, and is parked for longer than a test may last.
        func park(_ device: UInt64, seen: Revision) async throws -> Task<PollAnswer, any Error> {
            let parked = service.parkedCount
            let task = Task<PollAnswer, any Error> { [service] in
                try await service.poll(
                    cursors: [Cursor(namespace: Self.namespace, revision: seen)],
                    device: DeviceID(high: 9, low: device), timeout: 600)
            }
            try await Patience.until { service.parkedCount == parked + 1 && service.desk.statistics.unread == 0 }
            return task
        }

        static func moved(to revision: Revision) -> PollAnswer {
            .moved([MovedNamespace(namespace: namespace, revision: revision, pending: false)])
        }

        func close() async {
            running.cancel()
            _ = await running.result
            await wires.close()
        }
    }

    @Test func `a commit at one machine wakes the polls at another one`() async throws {
        let machines = try await Machines()
        let polls = [
            try await machines.park(1, seen: .zero), try await machines.park(2, seen: .zero),
        ]
        let begin = ContinuousClock.now
        let revision = await machines.commit()
        for poll in polls { #expect(try await poll.value == Machines.moved(to: revision)) }
        #expect(begin.duration(to: .now) < .seconds(2))
        await machines.close()
    }

    @Test func `what was committed while Redis was dead is told when it is back`() async throws {
        let machines = try await Machines()
        let poll = try await machines.park(1, seen: .zero)
        await machines.wires.server.crash()
        try await Patience.until { machines.wires.losses(of: 0).count == 1 && machines.wires.losses(of: 1).count == 1 }
        let revision = await machines.commit()
        // Nobody told it: the bus of the other machine is cut off.
        await Patience.aMoment(100)
        #expect(machines.service.parkedCount == 1)
        try await machines.wires.server.start()
        #expect(try await poll.value == Machines.moved(to: revision))
        await machines.close()
    }

    @Test func `a poll that is parked while Redis is dead is woken by what comes after`() async throws {
        let machines = try await Machines()
        await machines.wires.server.crash()
        let poll = try await machines.park(1, seen: .zero)
        try await machines.wires.server.start()
        await machines.wires.waitForConnections(2)
        let revision = await machines.commit()
        #expect(try await poll.value == Machines.moved(to: revision))
        await machines.close()
    }

    @Test func `wherever Redis is killed, no wake-up is lost for good`() async throws {
        let machines = try await Machines()
        var seen = Revision.zero
        for round in 1...12 as ClosedRange<UInt64> {
            let poll = try await machines.park(round, seen: seen)
            async let death: Void = machines.wires.server.crash()
            await Patience.aMoment(Int(round % 4) * 2)
            seen = await machines.commit()
            await death
            if round % 3 == 0 { await Patience.aMoment(40) }
            try await machines.wires.server.start()
            #expect(try await poll.value == Machines.moved(to: seen), "round \(round)")
        }
        await machines.close()
    }

    @Test func `a Redis that hangs delays a wake-up, and loses none`() async throws {
        let machines = try await Machines()
        let poll = try await machines.park(1, seen: .zero)
        machines.wires.server.signal(SIGSTOP)
        let begin = ContinuousClock.now
        let revision = await machines.commit()
        #expect(begin.duration(to: .now) < .seconds(2), "a commit does not wait for it")
        machines.wires.server.signal(SIGCONT)
        #expect(try await poll.value == Machines.moved(to: revision))
        await machines.close()
    }
}
