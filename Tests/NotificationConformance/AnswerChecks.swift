import Model
import Notifications
import Testing

extension PollConformance {
    static let answerChecks: [Check] = [
        Check("a poll that is behind is answered at once") { world in
            for _ in 1...4 { await world.commit(1) }
            let device = try await world.device(1)
            #expect(try await world.poll(device, [1: 3]).reply() == PollWorld.moved(1, to: 4))
            #expect(world.desk.parkedCount == 0)
        },
        Check("a poll is answered when a commit comes") { world in
            let device = try await world.device(1)
            let poll = try await world.parked(device, [1: 0])
            await world.commit(1)
            #expect(try await poll.reply() == PollWorld.moved(1, to: 1))
        },
        Check("a device polls again and again, and sees every commit once") { world in
            let device = try await world.device(1)
            for revision in 0..<5 as Range<UInt64> {
                let poll = try await world.parked(device, [1: revision])
                await world.commit(1)
                #expect(try await poll.reply() == PollWorld.moved(1, to: revision + 1))
            }
        },
        Check("of many namespaces, those are told that moved") { world in
            await world.commit(2)
            await world.commit(4)
            let device = try await world.device(1, 2, 3, 4)
            let reply = try await world.poll(device, [1: 0, 2: 0, 3: 0, 4: 0]).reply()
            guard case .moved(let moved) = reply else {
                Issue.record("it was told \(reply)")
                return
            }
            #expect(Set(moved.map(\.namespace)) == [PollWorld.namespace(2), PollWorld.namespace(4)])
            #expect(moved.allSatisfy { $0.revision == Revision(1) && !$0.pending })
        },
        Check("files on their way are told to others, and not to the device that sends them") { world in
            let (sender, other) = (try await world.device(1), try await world.device(1))
            let first = try await world.parked(sender, [1: 0])
            let second = try await world.parked(other, [1: 0], of: 2)
            await world.announce(1, at: 0, by: sender)
            #expect(try await second.reply() == PollWorld.moved(1, to: 0, pending: true))
            #expect(world.desk.parkedCount == 1)
            await world.commit(1, by: sender)
            #expect(try await first.reply() == PollWorld.moved(1, to: 1))
        },
        Check("a burst of commits is one answer, and the next poll ends at the newest") { world in
            let device = try await world.device(1)
            let poll = try await world.parked(device, [1: 0])
            for _ in 1...20 { await world.commit(1) }
            guard case .moved(let moved) = try await poll.reply(), let first = moved.first?.revision.number else {
                Issue.record("the poll was told nothing")
                return
            }
            #expect(moved.count == 1 && (1...20).contains(first))
            guard first < 20 else { return }
            #expect(try await world.poll(device, [1: first]).reply() == PollWorld.moved(1, to: 20))
        },
        Check("a poll without patience is told what is known, or nothing, and does not stay") { world in
            await world.commit(2)
            let device = try await world.device(1, 2)
            #expect(try await world.poll(device, [1: 0, 2: 1], timeout: 0).reply() == .nothing)
            #expect(try await world.poll(device, [1: 0, 2: 0], timeout: 0).reply() == PollWorld.moved(2, to: 1))
            #expect(world.desk.parkedCount == 0)
        },
        Check("what the bus lost is told late, and is told") { world in
            let device = try await world.device(1)
            let poll = try await world.parked(device, [1: 0])
            await world.commit(1, isLost: true)
            #expect(world.desk.parkedCount == 1)
            // News of something else shows that a number was left out.
            await world.commit(2)
            #expect(try await poll.reply() == PollWorld.moved(1, to: 1))
            #expect(world.desk.statistics.gaps == 1)
        },
        Check("heads that can't be read for a while are read later") { world in
            await world.commit(1)
            world.journal.fail(times: 5)
            let device = try await world.device(1)
            #expect(try await world.poll(device, [1: 0]).reply() == PollWorld.moved(1, to: 1))
            #expect(world.desk.statistics.failedReads >= 5)
        },
    ]
}
