import Model
import Storage
import StorageConformance
import StorageLocal
import TestSupport
import Testing

/// The real file code on a disk that forgets what was not synced: each missing sync would show here.
@Suite struct LocalPowerCutTests {
    private func open(
        _ directories: [String], _ calls: PowerlessFileCalls, seed: UInt64
    ) async throws -> PackedBlockStore {
        try await PackedBlockStore.open(
            regions: directories.map { LocalPackRegion(directory: $0, calls: calls) },
            configuration: PackedStoreConfiguration(packSize: 5000), generator: SeededGenerator(seed: seed))
    }

    /// Appends until the power goes, then lets every file go, as the end of a process does.
    private func live(
        _ directories: [String], _ calls: PowerlessFileCalls, _ sample: inout Sample, seed: UInt64
    ) async throws {
        let regions = directories.map { LocalPackRegion(directory: $0, calls: calls) }
        do {
            let store = try await PackedBlockStore.open(
                regions: regions, configuration: PackedStoreConfiguration(packSize: 5000),
                generator: SeededGenerator(seed: seed))
            while true { try await sample.append(to: store, count: Int(seed % 3) + 1) }
        } catch is StorageError {
            for region in regions { try await region.close() }
        }
    }

    @Test("a power cut at any call of the kernel loses nothing acknowledged", arguments: 0..<60)
    func powerCut(seed: Int) async throws {
        let directory = TemporaryDirectory()
        let calls = PowerlessFileCalls(seed: UInt64(seed))
        let directories = seed % 2 == 0 ? ["one"] : ["one", "two"]
        let paths = directories.map { directory.appending($0) }
        var moments = SeededGenerator(seed: UInt64(seed) + 300)
        var sample = Sample(seed: UInt64(seed))
        for life in 0..<3 {
            calls.faults.callsLeft = Int.random(in: 0...90, using: &moments)
            try await live(paths, calls, &sample, seed: UInt64(seed * 10 + life))
            try calls.restart()
        }
        let store = try await open(paths, calls, seed: UInt64(seed) + 5000)
        #expect(store.recovery.damage.isEmpty)
        try await sample.verify(in: store)
        #expect(try await scanAll(store).allSatisfy { $0.state != .corrupt })
        try await store.repairMissing()
        try await store.close()
        let trees = try paths.map { try fileTree($0).mapValues(\.hashValue) }
        #expect(trees.allSatisfy { $0 == trees[0] })
    }

    @Test("a note that was stored survives a power cut", arguments: 0..<12)
    func notes(seed: Int) async throws {
        let directory = TemporaryDirectory()
        let calls = PowerlessFileCalls(seed: UInt64(seed))
        for life in 0..<3 {
            let region = LocalPackRegion(directory: directory.appending("store"), calls: calls)
            try await region.open()
            if life > 0 { #expect(try await region.loadNote("n") == [UInt8](repeating: UInt8(life), count: 700)) }
            try await region.storeNote([UInt8](repeating: UInt8(life + 1), count: 700), "n")
            try await region.close()
            try calls.restart()
        }
    }

    @Test("the disk of these tests does forget: bytes that were not synced can be lost")
    func forgets() async throws {
        let directory = TemporaryDirectory()
        var lost = 0
        for seed in 0..<20 {
            let calls = PowerlessFileCalls(seed: UInt64(seed))
            let path = directory.appending("file-\(seed)")
            let file = try calls.open(path, 0o102)
            let bytes = [UInt8](repeating: 7, count: 2000)
            _ = try bytes.withUnsafeBytes { try calls.write(file, $0, at: 0) }
            calls.close(file)
            try calls.restart()
            if (try? readFile(path)) != bytes { lost += 1 }
        }
        #expect(lost > 10)
    }
}
