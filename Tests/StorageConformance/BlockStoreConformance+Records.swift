import Model
import Storage
import TestSupport

extension BlockStoreConformance {
    /// Appending and reading.
    static let recordChecks = [
        Check(description: "what was appended is read back byte for byte, singly and together") { open in
            let store = try await open()
            let records = sampleRecords([0, 1, 23, 512, 4096, 70_000, 300_000], seed: 1)
            let locations = try await store.append(records)
            try require(locations.map { Int($0.length) } == records.map(\.count), "the lengths are not in order")
            for (location, record) in zip(locations, records) {
                try require(try await store.read(location) == record, "\(location) is another record")
            }
            try require(try await store.read(locations) == records, "the batch is not what was appended")
            try await store.close()
        },
        Check(description: "a batch is answered in the order asked, repeats included") { open in
            let store = try await open()
            var locations: [PackLocation] = []
            let records = sampleRecords((0..<60).map { $0 * 37 }, seed: 2)
            for record in records { locations += try await store.append([record]) }
            var generator = SeededGenerator(seed: 3)
            let asked = (0..<150).map { _ in Int.random(in: records.indices, using: &generator) }
            let answers = try await store.read(asked.map { locations[$0] })
            try require(answers == asked.map { records[$0] }, "the answers are not in the order asked")
            try require(try await store.read([]).isEmpty, "nothing asked, something answered")
            try await store.close()
        },
        Check(description: "appending nothing writes nothing") { open in
            let store = try await open()
            try require(try await store.append([]).isEmpty, "nothing appended, something located")
            try require(try await store.packs().isEmpty, "nothing appended, but there is a pack")
            try await store.close()
        },
        Check(description: "no two records share a place") { open in
            let store = try await open()
            let records = sampleRecords(Array(repeating: 100, count: 200), seed: 4)
            let locations = try await store.append(records)
            let byPack = Dictionary(grouping: locations, by: \.pack)
            for (_, inside) in byPack {
                let sorted = inside.sorted { $0.offset < $1.offset }
                for (left, right) in zip(sorted, sorted.dropFirst()) {
                    try require(left.offset + UInt64(left.length) <= right.offset, "\(left) overlaps \(right)")
                }
            }
            try await store.close()
        },
        Check(description: "records of many writers at once are all kept") { open in
            let store = try await open()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<16 {
                    group.addTask {
                        for round in 0..<8 {
                            let seed = UInt64(writer * 100 + round)
                            let records = sampleRecords([writer * 11 + 1, 700], seed: seed)
                            let locations = try await store.append(records)
                            try require(try await store.read(locations) == records, "writer \(writer) lost a record")
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await store.close()
        },
        Check(description: "a location that was never given is refused, not answered") { open in
            let store = try await open()
            let good = try await store.append(sampleRecords([500, 500], seed: 5))[0]
            var generator = SeededGenerator(seed: 6)
            let absent = PackLocation(pack: .init(using: &generator), offset: good.offset, length: 500)
            try await requireFailure(.notFound, .unavailable, by: "a read of an unknown pack") {
                _ = try await store.read(absent)
            }
            for (offset, length) in [(good.offset + 1, 499), (good.offset, 400), (good.offset + 1 << 40, 5), (0, 5)] {
                let wrong = PackLocation(pack: good.pack, offset: offset, length: UInt32(length))
                try await requireFailure(.corrupt, .notFound, .unavailable, by: "a read of \(wrong)") {
                    _ = try await store.read(wrong)
                }
            }
            try await requireFailure(.notFound, .unavailable, by: "a batch with one unknown pack") {
                _ = try await store.read([good, absent])
            }
            try await store.close()
        },
        Check(description: "a repair puts other bytes of the same length in place, and only those") { open in
            let store = try await open()
            let records = sampleRecords([300, 300, 300], seed: 7)
            let locations = try await store.append(records)
            let other = sampleRecords([300], seed: 8)[0]
            try await store.repair(locations[1], with: other)
            try require(try await store.read(locations) == [records[0], other, records[2]], "the repair went wrong")
            try await requireFailure(.corrupt, by: "a repair with another length") {
                try await store.repair(locations[1], with: [1, 2, 3])
            }
            try require(try await store.read(locations[1]) == other, "a refused repair has changed the record")
            try await store.close()
        },
    ]
}
