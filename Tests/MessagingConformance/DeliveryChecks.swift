import Messaging
import Model
import Testing

private typealias Fixture = QueueFixture

extension OfflineQueueConformance {
    static let deliveryChecks: [Check] = [
        Check("a queue that was just made lets every device read from its cursor, once") { queue in
            let delivery = try await queue.read(1)
            #expect(delivery.readFromCursor)
            #expect(delivery.entries.isEmpty)
            try await queue.acknowledge(delivery.position, by: 1)
            #expect(try await queue.read(1) == .nothing)
            #expect(try await queue.read(2).readFromCursor)
        },
        Check("what is added before the first reading is told with the mark, and not taken for acknowledged") { queue in
            let first = try await queue.read(1)
            try await queue.add([Fixture.moved(1, 1)], to: 1)
            try await queue.acknowledge(first.position, by: 1)
            let second = try await queue.read(1)
            #expect(second.readFromCursor)
            #expect(second.entries == [Fixture.moved(1, 1)])
            try await queue.acknowledge(second.position, by: 1)
            #expect(try await queue.read(1) == .nothing)
        },
        Check("entries are told in the order in which they were raised, until they are acknowledged") { queue in
            try await queue.introduce(1)
            try await queue.add([Fixture.moved(3, 1), Fixture.moved(1, 4)], to: 1)
            try await queue.add([Fixture.event(.shareOffered, 7)], to: 1)
            let expected = [Fixture.moved(3, 1), Fixture.moved(1, 4), Fixture.event(.shareOffered, 7)]
            for _ in 0..<2 { #expect(try await queue.read(1).entries == expected) }
            let told = try await queue.acknowledge(try await queue.read(1).position, by: 1)
            #expect(told == expected)
            #expect(try await queue.read(1) == .nothing)
        },
        Check("a namespace has one entry, of its newest revision") { queue in
            try await queue.introduce(1)
            try await queue.add([Fixture.moved(1, 5), Fixture.moved(2, 1)], to: 1)
            try await queue.add([Fixture.moved(1, 3), Fixture.moved(1, 7), Fixture.moved(1, 6)], to: 1)
            #expect(try await queue.read(1).entries == [Fixture.moved(2, 1), Fixture.moved(1, 7)])
        },
        Check("events are told apart by kind and subject, and the later one stands for both") { queue in
            try await queue.introduce(1)
            let other = AccountEvent.Kind(rawValue: "invented_later")
            try await queue.add([Fixture.event(.restoreReady, 1, at: 2), Fixture.event(.restoreReady, 2)], to: 1)
            try await queue.add([Fixture.event(other, 1), Fixture.event(.restoreReady, 1, at: 1)], to: 1)
            #expect(
                try await queue.read(1).entries == [
                    Fixture.event(.restoreReady, 1, at: 2), Fixture.event(.restoreReady, 2), Fixture.event(other, 1),
                ])
            try await queue.add([Fixture.event(.restoreReady, 1, at: 3)], to: 1)
            #expect(try await queue.read(1).entries.last == Fixture.event(.restoreReady, 1, at: 3))
            #expect(try await queue.read(1).entries.count == 3)
        },
        Check("adding again what waits, or what was acknowledged, changes nothing") { queue in
            try await queue.introduce(1)
            let entries = [Fixture.moved(1, 5), Fixture.event(.approvalWanted, 1, at: 5)]
            try await queue.add(entries, to: 1)
            let delivery = try await queue.read(1)
            try await queue.add(entries, to: 1)
            #expect(try await queue.read(1) == delivery)
            try await queue.acknowledge(delivery.position, by: 1)
            try await queue.add(entries + [Fixture.moved(1, 4)], to: 1)
            #expect(try await queue.read(1) == .nothing)
            try await queue.add([Fixture.moved(1, 6)], to: 1)
            #expect(try await queue.read(1).entries == [Fixture.moved(1, 6)])
        },
        Check("an acknowledgement leaves what was raised since") { queue in
            try await queue.introduce(1)
            try await queue.add([Fixture.moved(1, 1), Fixture.moved(2, 1)], to: 1)
            let delivery = try await queue.read(1)
            try await queue.add([Fixture.moved(1, 2), Fixture.moved(3, 1)], to: 1)
            let told = try await queue.acknowledge(delivery.position, by: 1)
            #expect(told == [Fixture.moved(2, 1)])
            #expect(try await queue.read(1).entries == [Fixture.moved(1, 2), Fixture.moved(3, 1)])
            // The same acknowledgement again is no other.
            #expect(try await queue.acknowledge(delivery.position, by: 1).isEmpty)
            #expect(try await queue.read(1).entries.count == 2)
        },
        Check("a delivery of a part is acknowledged as that part") { queue in
            try await queue.introduce(1)
            try await queue.add((1...5).map { Fixture.moved($0, 1) }, to: 1)
            var seen: [QueueEntry] = []
            for _ in 0..<3 {
                let delivery = try await queue.read(1, atMost: 2)
                #expect(delivery.entries.count <= 2)
                seen += delivery.entries
                try await queue.acknowledge(delivery.position, by: 1)
            }
            #expect(seen == (1...5).map { Fixture.moved($0, 1) })
            #expect(try await queue.read(1) == .nothing)
        },
        Check("devices are apart") { queue in
            try await queue.introduce(1, 2, 3)
            try await queue.add([Fixture.moved(1, 1)], to: 1)
            try await queue.add([Fixture.moved(2, 1)], to: 2)
            let first = try await queue.read(1)
            #expect(first.entries == [Fixture.moved(1, 1)])
            #expect(try await queue.read(3) == .nothing)
            try await queue.acknowledge(first.position, by: 1)
            #expect(try await queue.read(2).entries == [Fixture.moved(2, 1)])
        },
        Check("a removed device is told nothing, and a late addition does not bring its queue back") { queue in
            try await queue.introduce(1, 2)
            try await queue.add([Fixture.moved(1, 1)], to: 1)
            try await queue.add([Fixture.moved(1, 1)], to: 2)
            let position = try await queue.read(1).position
            try await queue.remove([Fixture.device(1), Fixture.device(9)], at: Fixture.time)
            #expect(try await queue.read(1) == .nothing)
            #expect(try await queue.read(9) == .nothing)
            try await queue.add([Fixture.moved(1, 2), Fixture.event(.shareOffered, 1)], to: 1)
            try await queue.add([Fixture.moved(1, 2)], to: 9)
            #expect(try await queue.acknowledge(position, by: 1).isEmpty)
            #expect(try await queue.read(1) == .nothing)
            #expect(try await queue.read(9) == .nothing)
            #expect(try await queue.read(2).entries == [Fixture.moved(1, 1)])
        },
        Check("a position of another storage takes nothing away") { queue in
            try await queue.introduce(1)
            try await queue.add([Fixture.moved(1, 1)], to: 1)
            let foreign = QueuePosition(queue: Fixture.identity(999), epoch: 1, number: .max)
            #expect(try await queue.acknowledge(foreign, by: 1).isEmpty)
            #expect(try await queue.read(1).entries.count == 1)
        },
        Check("additions of many tasks at once are all told") { queue in
            try await queue.introduce(1, 2)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...40 as ClosedRange<UInt64> {
                    group.addTask { try await queue.add([Fixture.moved(number % 10, number)], to: number % 2 + 1) }
                }
                try await group.waitForAll()
            }
            // Of each namespace the newest revision is left: 31 to 40.
            let told = Set(try await queue.read(1).entries + queue.read(2).entries)
            #expect(told == Set((31...40).map { Fixture.moved($0 % 10, $0) }))
        },
    ]
}
