import Storage

extension BlockStoreConformance {
    /// Opening and closing.
    static let lifeChecks = [
        Check(description: "records survive the store, and a new store begins a new pack") { open in
            var all: [(PackLocation, [UInt8])] = []
            for life in 0..<4 {
                let store = try await open()
                let records = sampleRecords([100, 2000, 30], seed: UInt64(20 + life))
                let locations = try await store.append(records)
                let former = Set(all.map(\.0.pack))
                try require(former.isDisjoint(with: locations.map(\.pack)), "a pack of a former store was written")
                all += zip(locations, records)
                try require(try await store.read(all.map(\.0)) == all.map(\.1), "records of a former store are lost")
                try await store.close()
            }
            let store = try await open()
            let packs = try await store.packs()
            try require(packs.allSatisfy(\.isSealed), "a closed store has left a pack open")
            try require(packs.map(\.pack) == packs.map(\.pack).sorted(), "the packs are not ordered")
            try require(Set(packs.map(\.pack)) == Set(all.map(\.0.pack)), "the packs are not those that were written")
            try await store.close()
        },
        Check(description: "a store that has appended nothing leaves no pack") { open in
            let store = try await open()
            try await store.check()
            try await store.close()
            let again = try await open()
            try require(try await again.packs().isEmpty, "there is a pack")
            try await again.close()
        },
        Check(description: "a closed store refuses everything as unavailable, but to be closed again") { open in
            let store = try await open()
            let location = try await store.append(sampleRecords([10], seed: 30))[0]
            try await store.close()
            try await store.close()
            try await requireFailure(.unavailable, by: "an append") { _ = try await store.append([[1]]) }
            try await requireFailure(.unavailable, by: "a read") { _ = try await store.read(location) }
            try await requireFailure(.unavailable, by: "a repair") { try await store.repair(location, with: []) }
            try await requireFailure(.unavailable, by: "a list") { _ = try await store.packs() }
            try await requireFailure(.unavailable, by: "a scan") { try await store.scan(location.pack) { _ in } }
            try await requireFailure(.unavailable, by: "a removal") { try await store.delete(location.pack) }
            try await requireFailure(.unavailable, by: "a check") { try await store.check() }
        },
        Check(description: "an append that was accepted before the end is finished by it") { open in
            let store = try await open()
            let records = sampleRecords(Array(repeating: 3000, count: 40), seed: 31)
            let acknowledged = try await withThrowingTaskGroup(of: (PackLocation, [UInt8])?.self) { group in
                for record in records {
                    group.addTask {
                        do {
                            return (try await store.append([record])[0], record)
                        } catch let error as StorageError where error.code == .unavailable {
                            return nil
                        }
                    }
                }
                group.addTask {
                    try await store.close()
                    return nil
                }
                var all: [(PackLocation, [UInt8])] = []
                for try await one in group { if let one { all.append(one) } }
                return all
            }
            let again = try await open()
            try require(
                try await again.read(acknowledged.map(\.0)) == acknowledged.map(\.1), "an acknowledged record is lost")
            try await again.close()
        },
    ]
}
