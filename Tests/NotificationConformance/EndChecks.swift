import Messaging
import Model
import Notifications
import Testing

extension PollConformance {
    static let endChecks: [Check] = [
        Check("a poll ends when its time is over, and not before") { world in
            let device = try await world.device(1)
            let poll = try await world.parked(device, [1: 0], timeout: 30)
            world.desk.advance(to: 30)
            #expect(world.desk.parkedCount == 1)
            world.desk.advance(to: 31)
            #expect(try await poll.reply() == .nothing)
            #expect(world.desk.parkedCount == 0)
        },
        Check("the second poll of a device ends the first") { world in
            let device = try await world.device(1)
            let first = try await world.parked(device, [1: 0])
            let second = try await world.poll(device, [1: 0])
            #expect(try await first.reply() == .nothing)
            await world.waitUntil { $0.parked == 1 && $0.unread == 0 }
            await world.commit(1)
            #expect(try await second.reply() == PollWorld.moved(1, to: 1))
        },
        Check("a device that is revoked is told at once, and is not let in again") { world in
            let (revoked, other) = (try await world.device(1), try await world.device(1))
            let first = try await world.parked(revoked, [1: 0])
            let second = try await world.parked(other, [1: 0], of: 2)
            await world.bus.publish(.revoked(revoked))
            #expect(try await first.reply() == .revoked)
            #expect(try await world.poll(revoked, [1: 0]).reply() == .revoked)
            #expect(world.desk.parkedCount == 1)
            await world.commit(1)
            #expect(try await second.reply() == PollWorld.moved(1, to: 1))
        },
        Check("a device of another account never learns that a namespace moved") { world in
            let (owner, other) = (try await world.device(1), try await world.device(2))
            let first = try await world.parked(owner, [1: 0])
            let second = try await world.parked(other, [2: 0], of: 2)
            await world.announce(1, at: 0, by: owner)
            await world.commit(1)
            #expect(try await first.reply() == PollWorld.moved(1, to: 1))
            #expect(world.desk.parkedCount == 1)
            await world.commit(2)
            #expect(try await second.reply() == PollWorld.moved(2, to: 1))
        },
        Check("a peer that hangs up is forgotten, and takes nothing of others with it") { world in
            let (gone, other) = (try await world.device(1), try await world.device(1))
            let first = try await world.parked(gone, [1: 0])
            let second = try await world.parked(other, [1: 0], of: 2)
            await first.hangUp()
            await world.waitUntil { $0.parked == 1 }
            await world.commit(1)
            #expect(try await second.reply() == PollWorld.moved(1, to: 1))
            await world.waitUntil { $0.parked == 0 && $0.namespaces == 0 }
        },
        Check("a server that stops answers what is parked in waves, and what comes at once") { world in
            var polls: [any OpenPoll] = []
            for number in 1...5 {
                let device = try await world.device(1)
                polls.append(try await world.parked(device, [1: 0], of: number))
            }
            for left in [3, 1, 0] { #expect(world.desk.drainWave(2) == left) }
            for poll in polls { #expect(try await poll.reply() == .nothing) }
        },
    ]
}
