import Model
import Storage
import Synchronization
import TestSupport

extension BlockStoreConformance {
    /// Packs as a whole.
    static let packChecks = [
        Check(description: "a scan visits every record of a pack once, in order") { open in
            let store = try await open()
            let records = sampleRecords([10, 0, 5000, 80_000, 3], seed: 11)
            let locations = try await store.append(records)
            let visited = Mutex<[PackRecord]>([])
            for pack in try await store.packs() {
                try await store.scan(pack.pack) { record in visited.withLock { $0.append(record) } }
            }
            let expected = zip(locations, records).map { PackRecord(location: $0, state: .intact($1)) }
            try require(Set(visited.withLock { $0 }) == Set(expected), "the scan did not visit what was appended")
            for (_, inside) in Dictionary(grouping: visited.withLock { $0 }, by: \.location.pack) {
                let offsets = inside.map(\.location.offset)
                try require(offsets == offsets.sorted(), "the scan was not in order")
            }
            try await store.close()
        },
        Check(description: "an error of the visitor ends the scan and comes out") { open in
            let store = try await open()
            let location = try await store.append(sampleRecords([10, 10], seed: 12))[0]
            let visits = Mutex(0)
            do {
                try await store.scan(location.pack) { _ in
                    visits.withLock { $0 += 1 }
                    throw ConformanceFailure(description: "enough")
                }
                throw StorageError(.io, "the error was swallowed")
            } catch let error as ConformanceFailure {
                try require(error.description == "enough", "another error came out")
            }
            try require(visits.withLock { $0 } == 1, "the scan went on after the error")
            try await requireFailure(.notFound, .unavailable, by: "a scan of an unknown pack") {
                var generator = SeededGenerator(seed: 13)
                try await store.scan(.init(using: &generator)) { _ in }
            }
            try await store.close()
        },
        Check(description: "a removed pack is gone, the others stay, and removing it again is no error") { open in
            let first = try await open()
            let gone = try await first.append(sampleRecords([50], seed: 14))[0]
            try await first.close()
            let store = try await open()
            let kept = try await store.append(sampleRecords([60], seed: 15))[0]
            try await store.delete(gone.pack)
            try await store.delete(gone.pack)
            try await requireFailure(.notFound, by: "a read of a removed pack") { _ = try await store.read(gone) }
            try require(try await store.packs().map(\.pack) == [kept.pack], "the packs are not what is left")
            try require(try await store.read(kept) == sampleRecords([60], seed: 15)[0], "another pack was harmed")
            try await store.close()
        },
        Check(description: "the pack that grows can be removed, and appending goes on in another") { open in
            let store = try await open()
            let gone = try await store.append(sampleRecords([50], seed: 16))[0]
            try await store.delete(gone.pack)
            let next = try await store.append(sampleRecords([50], seed: 17))[0]
            try require(next.pack != gone.pack, "a removed pack was written again")
            try require(try await store.read(next) == sampleRecords([50], seed: 17)[0], "the record is lost")
            try await store.close()
        },
    ]
}
