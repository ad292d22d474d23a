import Messaging
import Model
import Testing

private typealias Fixture = QueueFixture

extension OfflineQueueConformance {
    static let replicaChecks: [Check] = [
        Check("what was acknowledged at the other replica waits no longer, unless it is newer here") { queue in
            try await queue.introduce(1)
            let event = Fixture.event(.shareOffered, 1, at: 5)
            try await queue.add([Fixture.moved(1, 5), Fixture.moved(2, 5), event], to: 1)
            let settled = [Fixture.moved(1, 5), Fixture.moved(2, 4), Fixture.event(.shareOffered, 1, at: 9)]
            for _ in 0..<2 { try await queue.settle(settled.map { QueueAddition(Fixture.device(1), $0) }) }
            #expect(try await queue.read(1).entries == [Fixture.moved(2, 5)])
            try await queue.add([Fixture.moved(1, 5), Fixture.event(.shareOffered, 1, at: 9)], to: 1)
            #expect(try await queue.read(1).entries == [Fixture.moved(2, 5)])
            // It does not matter which of the two came first.
            try await queue.settle([QueueAddition(Fixture.device(1), Fixture.moved(3, 2))])
            try await queue.add([Fixture.moved(3, 2)], to: 1)
            #expect(try await queue.read(1).entries == [Fixture.moved(2, 5)])
        },
        Check("a queue that forgot lets every device read from its cursor, whether it knew it or not") { queue in
            try await queue.introduce(1, 2)
            try await queue.add([Fixture.moved(1, 1)], to: 1)
            let before = try await queue.read(1)
            _ = try await queue.forget()
            for device in 1...3 as ClosedRange<UInt64> { #expect(try await queue.read(device).readFromCursor) }
            #expect(try await queue.read(1).entries.isEmpty)
            // What was told before it forgot says nothing of what came since.
            try await queue.acknowledge(before.position, by: 1)
            #expect(try await queue.read(1).readFromCursor)
            let after = try await queue.read(1)
            try await queue.add([Fixture.moved(1, 1)], to: 1)
            try await queue.acknowledge(after.position, by: 1)
            #expect(try await queue.read(1).readFromCursor)
            #expect(try await queue.read(1).entries == [Fixture.moved(1, 1)])
            try await queue.acknowledge(try await queue.read(2).position, by: 2)
            #expect(try await queue.read(2) == .nothing)
        },
        Check("a device that was removed stays removed when all is forgotten") { queue in
            try await queue.remove([Fixture.device(1)], at: Fixture.time)
            _ = try await queue.forget()
            try await queue.add([Fixture.moved(1, 1)], to: 1)
            #expect(try await queue.read(1) == .nothing)
            #expect(try await queue.page(after: nil, atMost: 9).map(\.removed) == [Fixture.time])
        },
        Check("removals are forgotten when they are old") { queue in
            try await queue.remove([Fixture.device(1)], at: Fixture.time(1))
            try await queue.expire(before: Fixture.time(1))
            #expect(try await queue.page(after: nil, atMost: 9).count == 1)
            try await queue.expire(before: Fixture.time(2))
            #expect(try await queue.page(after: nil, atMost: 9).isEmpty)
        },
        Check(pair: "one queue takes over all that another knows, page by page") { source, target in
            try await source.introduce(1, 2, 4, 5)
            try await source.add([Fixture.moved(2, 2), Fixture.moved(1, 1)], to: 1)
            try await source.add([Fixture.moved(1, 1)], to: 2)
            try await source.acknowledge(try await source.read(2).position, by: 2)
            try await source.add([Fixture.moved(1, 1)], to: 3)
            try await source.remove([Fixture.device(4)], at: Fixture.time)
            try await target.introduce(1, 4)
            try await target.add([Fixture.moved(1, 1), Fixture.moved(9, 9)], to: 1)
            let forgotten = try await target.forget()
            var last: DeviceID?
            while true {
                let page = try await source.page(after: last, atMost: 2)
                if page.isEmpty { break }
                try await target.adopt(page, forgotten: forgotten, at: Fixture.time)
                last = page.last?.device
            }
            #expect(try await target.read(1).entries == [Fixture.moved(2, 2), Fixture.moved(1, 1)])
            #expect(try await !target.read(1).readFromCursor)
            #expect(try await target.read(2) == .nothing)
            try await target.add([Fixture.moved(1, 1)], to: 2)
            #expect(try await target.read(2) == .nothing)
            #expect(try await target.read(3).readFromCursor)
            #expect(try await target.read(3).entries == [Fixture.moved(1, 1)])
            #expect(try await target.read(4) == .nothing)
            #expect(try await target.read(5) == .nothing)
            #expect(try await target.read(6).readFromCursor)
            #expect(try await target.page(after: nil, atMost: 9) == source.page(after: nil, atMost: 9))
        },
        Check("what came to a queue while it takes over stays, with its mark") { queue in
            let forgotten = try await queue.forget()
            try await queue.add([Fixture.moved(1, 3)], to: 1)
            let state = QueuedDevice(device: Fixture.device(1), waiting: [Fixture.moved(1, 2), Fixture.moved(2, 1)])
            try await queue.adopt([state], forgotten: forgotten, at: Fixture.time)
            let delivery = try await queue.read(1)
            #expect(delivery.readFromCursor)
            #expect(delivery.entries == [Fixture.moved(1, 3), Fixture.moved(2, 1)])
        },
        Check("what is taken over too late, after it forgot again, changes nothing") { queue in
            let forgotten = try await queue.forget()
            _ = try await queue.forget()
            try await queue.adopt([QueuedDevice(device: Fixture.device(1))], forgotten: forgotten, at: Fixture.time)
            #expect(try await queue.read(1).readFromCursor)
        },
        Check("it keeps the newest term in which the other replica was behind") { queue in
            // One that was just made vouches for nobody.
            #expect(try await queue.peerBehindSince() == 1)
            try await queue.notePeerCaughtUp(1)
            #expect(try await queue.peerBehindSince() == 0)
            try await queue.notePeerBehind(4)
            try await queue.notePeerBehind(3)
            #expect(try await queue.peerBehindSince() == 4)
            try await queue.notePeerCaughtUp(3)
            #expect(try await queue.peerBehindSince() == 4)
            try await queue.notePeerCaughtUp(4)
            #expect(try await queue.peerBehindSince() == 0)
        },
    ]
}
