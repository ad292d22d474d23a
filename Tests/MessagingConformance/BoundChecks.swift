import Messaging
import Model
import Testing

private typealias Fixture = QueueFixture

extension QueueBounds {
    fileprivate static var small: QueueBounds {
        var bounds = QueueBounds()
        bounds.entries = 4
        bounds.remembered = 3
        return bounds
    }
}

extension OfflineQueueConformance {
    static let boundChecks: [Check] = [
        Check("as many entries as a device may have are told; one more, and it reads from its cursor", bounds: .small) {
            queue in
            try await queue.introduce(1, 2)
            try await queue.add((1...4).map { Fixture.moved($0, 1) }, to: 1)
            #expect(try await queue.read(1).entries.count == 4)
            #expect(try await !queue.read(1).readFromCursor)
            try await queue.add([Fixture.moved(4, 2)], to: 1)
            #expect(try await queue.read(1).entries.count == 4)
            let before = try await queue.read(1)
            try await queue.add([Fixture.moved(5, 1)], to: 1)
            let delivery = try await queue.read(1)
            #expect(delivery.readFromCursor)
            #expect(delivery.entries.isEmpty)
            #expect(try await queue.read(2) == .nothing)
            // What was read before does not acknowledge the mark.
            try await queue.acknowledge(before.position, by: 1)
            #expect(try await queue.read(1).readFromCursor)
            try await queue.acknowledge(delivery.position, by: 1)
            #expect(try await queue.read(1) == .nothing)
        },
        Check("what is added to a marked device is told with the mark, and outlives that", bounds: .small) { queue in
            try await queue.introduce(1)
            try await queue.add((1...5).map { Fixture.moved($0, 1) }, to: 1)
            let marked = try await queue.read(1)
            try await queue.add([Fixture.moved(1, 2)], to: 1)
            #expect(try await queue.read(1).readFromCursor)
            try await queue.acknowledge(marked.position, by: 1)
            let after = try await queue.read(1)
            #expect(!after.readFromCursor)
            #expect(after.entries == [Fixture.moved(1, 2)])
        },
        Check("a mark is acknowledged by the last part only", bounds: .small) { queue in
            try await queue.add([Fixture.moved(1, 1), Fixture.moved(2, 1), Fixture.moved(3, 1)], to: 1)
            let part = try await queue.read(1, atMost: 2)
            #expect(part.readFromCursor)
            try await queue.acknowledge(part.position, by: 1)
            #expect(try await queue.read(1).entries == [Fixture.moved(3, 1)])
        },
        Check("what was acknowledged is remembered up to a bound", bounds: .small) { queue in
            try await queue.introduce(1)
            for number in 1...4 as ClosedRange<UInt64> {
                try await queue.add([Fixture.moved(number, 1)], to: 1)
                try await queue.acknowledge(try await queue.read(1).position, by: 1)
            }
            let known = try await queue.page(after: nil, atMost: 10)
            #expect(known.flatMap(\.acknowledged).count <= 3)
            #expect(try await queue.read(1) == .nothing)
        },
        Check("an entry that waits for too long makes its device read from its cursor") { queue in
            try await queue.introduce(1, 2, 3)
            try await queue.add([Fixture.moved(1, 1), Fixture.moved(2, 1)], to: 1, at: 10)
            try await queue.add([Fixture.moved(1, 1)], to: 2, at: 20)
            // Raising it anew does not make it younger: the device has been away since.
            try await queue.add([Fixture.moved(1, 2)], to: 1, at: 30)
            #expect(try await queue.expire(before: Fixture.time(10)) == 0)
            #expect(try await queue.expire(before: Fixture.time(11)) == 1)
            #expect(try await queue.expire(before: Fixture.time(11)) == 0)
            let old = try await queue.read(1)
            #expect(old.readFromCursor)
            #expect(old.entries.isEmpty)
            #expect(try await queue.read(2).entries == [Fixture.moved(1, 1)])
            #expect(try await queue.read(3) == .nothing)
            try await queue.acknowledge(old.position, by: 1)
            #expect(try await queue.read(1) == .nothing)
        },
        Check("an entry that was acknowledged and raised again is young") { queue in
            try await queue.introduce(1)
            try await queue.add([Fixture.moved(1, 1)], to: 1, at: 10)
            try await queue.acknowledge(try await queue.read(1).position, by: 1)
            try await queue.add([Fixture.moved(1, 2)], to: 1, at: 20)
            #expect(try await queue.expire(before: Fixture.time(20)) == 0)
            #expect(try await queue.read(1).entries == [Fixture.moved(1, 2)])
        },
        Check("many devices expire at once") { queue in
            for number in 1...700 as ClosedRange<UInt64> {
                try await queue.add([Fixture.moved(1, 1), Fixture.moved(2, 1)], to: number, at: 5)
            }
            #expect(try await queue.expire(before: Fixture.time(6)) == 700)
            #expect(try await queue.depth() == QueueDepth(entries: 0, devices: 0, marked: 700))
        },
        Check("the depth counts what waits, for how many, and the marks") { queue in
            #expect(try await queue.depth() == QueueDepth())
            try await queue.introduce(1, 2)
            try await queue.add([Fixture.moved(1, 1), Fixture.moved(2, 1)], to: 1)
            try await queue.add([Fixture.moved(1, 1)], to: 2)
            try await queue.add([Fixture.moved(1, 1)], to: 3)
            #expect(try await queue.depth() == QueueDepth(entries: 4, devices: 3, marked: 1))
            try await queue.acknowledge(try await queue.read(1).position, by: 1)
            try await queue.remove([Fixture.device(3)], at: Fixture.time)
            #expect(try await queue.depth() == QueueDepth(entries: 1, devices: 1, marked: 0))
        },
    ]
}
