import Messaging
import MessagingConformance
import MessagingSQL
import MetadataSQLite
import Model
import TestSupport
import Testing

private typealias Fixture = QueueFixture

@Suite("Random histories of one queue")
struct ModelHistoryTests {
    private static var bounds: QueueBounds {
        var bounds = QueueBounds()
        bounds.entries = 6
        bounds.remembered = 5
        return bounds
    }

    /// Plays one step against a queue; the same random numbers give the same step.
    private func play(_ queue: any OfflineQueueReplica, _ random: inout SeededGenerator, step: Int64) async throws {
        let device = UInt64.random(in: 1...4, using: &random)
        let entries = (0..<Int.random(in: 1...3, using: &random)).map { _ in
            let (key, version) = (UInt64.random(in: 1...9, using: &random), Int64.random(in: 1...30, using: &random))
            return key < 7 ? Fixture.moved(key, UInt64(version)) : Fixture.event(.shareOffered, key, at: version)
        }
        let limit = Int.random(in: 1...8, using: &random)
        switch Int.random(in: 0..<40, using: &random) {
        case 0..<18: try await queue.add(entries, to: device, at: step)
        case 18..<28: try await queue.acknowledge(try await queue.read(device, atMost: limit).position, by: device)
        case 28..<32: try await queue.settle(entries.map { QueueAddition(Fixture.device(device), $0) })
        case 32..<34: try await queue.expire(before: Fixture.time(step - 20))
        case 34..<37:
            // One entry a key, as a queue has it.
            let waiting = Dictionary(grouping: entries, by: \.key).values.map { $0[0] }
            let state = QueuedDevice(
                device: Fixture.device(device),
                waiting: waiting.sorted { "\($0.key)" < "\($1.key)" },
                isMarked: limit > 6)
            try await queue.adopt([state], forgotten: Int64(limit) % 3 + 1, at: Fixture.time(step))
        case 37: _ = limit == 1 ? try await queue.forget() : 0
        case 38 where limit == 1: try await queue.remove([Fixture.device(device)], at: Fixture.time(step))
        default: break
        }
    }

    @Test("the SQL backend does what the model does", arguments: 1...12 as ClosedRange<UInt64>)
    func model(seed: UInt64) async throws {
        let directory = TemporaryDirectory()
        let database = try SQLiteMetadataDatabase(path: directory.appending("queue.db"), schema: QueueSchema.history)
        let backend = try await SQLOfflineQueue.open(database, bounds: Self.bounds, identity: Fixture.identity(1))
        let model = MemoryOfflineQueue(identity: Fixture.identity(1), bounds: Self.bounds)
        var random = SeededGenerator(seed: seed)
        for step in 0..<400 as Range<Int64> {
            var same = random
            try await play(backend, &random, step: step)
            try await play(model, &same, step: step)
            for device in 1...4 as ClosedRange<UInt64> {
                let (told, expected) = (try await backend.read(device), try await model.read(device))
                #expect(told == expected, "seed \(seed), step \(step), device \(device)")
                if told != expected { return }
                #expect(told.entries.count <= Self.bounds.entries)
            }
        }
        #expect(try await backend.depth() == model.depth())
        #expect(try await backend.page(after: nil, atMost: 9) == model.page(after: nil, atMost: 9))
        try await backend.close()
        withExtendedLifetime(directory) {}
    }
}
