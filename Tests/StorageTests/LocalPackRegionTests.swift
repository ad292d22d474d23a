import Glibc
import Model
import Storage
import StorageConformance
import StorageLocal
import TestSupport
import Testing

/// Packs as files of this machine.
@Suite struct LocalPackRegionTests {
    private let directory = TemporaryDirectory()
    private let pack = PackID(high: 0xAB00_0000_0000_0001, low: 2)

    private func region(_ calls: PowerlessFileCalls, openFiles: Int = 128) async throws -> LocalPackRegion {
        let region = LocalPackRegion(directory: directory.appending("store"), calls: calls, openFiles: openFiles)
        try await region.open()
        return region
    }

    private var packPath: String { directory.appending("store/packs/ab/\(pack.hex)") }

    @Test("a pack lies in the sub-folder of its first byte, and gets another name when it is sealed")
    func layout() async throws {
        let region = try await region(PowerlessFileCalls(seed: 1))
        try await region.create(pack)
        try await region.write([1, 2, 3, 4], to: pack, at: 0)
        #expect(try readFile("\(packPath).open") == [1, 2, 3, 4])
        #expect(try await region.find(pack) == PackSummary(pack: pack, size: 4, isSealed: false))
        try await region.seal(pack, at: 3)
        try await region.seal(pack, at: 3)
        #expect(try readFile("\(packPath).pack") == [1, 2, 3])
        #expect(access("\(packPath).open", F_OK) != 0)
        #expect(try await region.list() == [PackSummary(pack: pack, size: 3, isSealed: true)])
        try await region.delete(pack)
        #expect(try await region.find(pack) == nil)
        #expect(try await region.list().isEmpty)
        try await region.close()
    }

    @Test("files that are none of ours are left alone")
    func foreignFiles() async throws {
        let region = try await region(PowerlessFileCalls(seed: 1))
        try await region.create(pack)
        for name in ["ab/README", "ab/\(pack.hex).bak", "ab/00\(pack.hex.dropFirst(2)).pack", "notes.txt"] {
            try writeFile(directory.appending("store/packs/\(name)"), [1])
        }
        #expect(try await region.list().map(\.pack) == [pack])
        try await region.close()
    }

    @Test("two stores can't have one directory, and the second can when the first has closed")
    func lock() async throws {
        let path = directory.appending("shared")
        let first = try await LocalBlockStore.open(directories: [path])
        await #expect {
            _ = try await LocalBlockStore.open(directories: [path])
        } throws: { error in
            (error as? StorageError)?.code == .inUse && "\(error)".contains(path)
        }
        try await first.close()
        let second = try await LocalBlockStore.open(directories: [path])
        try await second.close()
    }

    @Test("short writes are gone on with until all is written")
    func shortWrites() async throws {
        let calls = PowerlessFileCalls(seed: 1)
        let region = try await region(calls)
        try await region.create(pack)
        calls.faults.shortWrites = 7
        let bytes = (0..<100).map { UInt8($0) }
        try await region.write(bytes, to: pack, at: 0)
        #expect(try readFile("\(packPath).open") == bytes)
        #expect(calls.count("pwrite") == 15)
        try await region.close()
    }

    @Test("a write takes one sync, whatever its size")
    func oneSync() async throws {
        let calls = PowerlessFileCalls(seed: 1)
        let store = try await PackedBlockStore.open(
            regions: [LocalPackRegion(directory: directory.appending("store"), calls: calls)])
        _ = try await store.append([[1]])
        let before = calls.count("fdatasync")
        _ = try await store.append((0..<200).map { [UInt8](repeating: 1, count: $0 * 10) })
        #expect(calls.count("fdatasync") == before + 1)
        #expect(calls.count("pwrite") == 2)
        try await store.close()
    }

    @Test("a full disk is told with the directory, nothing is acknowledged, and it goes on when there is room")
    func full() async throws {
        let calls = PowerlessFileCalls(seed: 1)
        let path = directory.appending("store")
        let store = try await PackedBlockStore.open(regions: [LocalPackRegion(directory: path, calls: calls)])
        var sample = Sample(seed: 1)
        try await sample.append(to: store)
        calls.faults.room = 1000
        await #expect {
            _ = try await store.append([[UInt8](repeating: 1, count: 5000)])
        } throws: { error in
            (error as? StorageError)?.code == .full && "\(error)".contains(path)
        }
        calls.faults.room = nil
        try await sample.append(to: store)
        #expect(sample.packs.count == 1)
        try await sample.verify(in: store)
        try await store.close()
        #expect(try fileTree(path).count == 1)
    }

    @Test("after a failed sync the pack is never written again, and what it had is kept")
    func failedSync() async throws {
        let calls = PowerlessFileCalls(seed: 1)
        let store = try await PackedBlockStore.open(
            regions: [LocalPackRegion(directory: directory.appending("store"), calls: calls)])
        var sample = Sample(seed: 2)
        try await sample.append(to: store)
        let first = try #require(sample.packs.first)
        calls.faults.failures["fdatasync"] = [EIO]
        await #expect(throws: StorageError(.io, "")) { _ = try await store.append([[1, 2, 3]]) }
        try await sample.append(to: store)
        #expect(sample.packs.count == 2)
        #expect(try await store.packs().first { $0.pack == first }?.isSealed == true)
        try await sample.verify(in: store)
        #expect(try await scanAll(store).count == sample.acknowledged.count)
        try await store.close()
    }

    @Test(
        "what the kernel says becomes what the store says",
        arguments: [
            (ENOSPC, StorageError.Code.full), (EDQUOT, .full), (EROFS, .readOnly), (EIO, .io), (ESTALE, .unavailable),
        ])
    func errorNumbers(number: Int32, code: StorageError.Code) async throws {
        let calls = PowerlessFileCalls(seed: 1)
        let region = try await region(calls)
        try await region.create(pack)
        calls.faults.failures["pwrite"] = [number]
        await #expect(throws: StorageError(code, "")) { try await region.write([1], to: pack, at: 0) }
        try await region.write([1], to: pack, at: 0)
        try await region.close()
    }

    @Test("a directory that is gone is unavailable, not empty")
    func goneDirectory() async throws {
        let path = directory.appending("store")
        let region = try await region(PowerlessFileCalls(seed: 1))
        try await region.create(pack)
        #expect(rename(path, directory.appending("elsewhere")) == 0)
        await #expect(throws: StorageError(.unavailable, "")) { _ = try await region.find(pack) }
        await #expect(throws: StorageError(.unavailable, "")) { _ = try await region.read(pack, [0..<1]) }
        await #expect(throws: StorageError(.unavailable, "")) { try await region.check() }
        #expect(rename(directory.appending("elsewhere"), path) == 0)
        try await region.open()
        #expect(try await region.find(pack) != nil)
        try await region.close()
    }

    @Test("no more files are open than allowed, and all packs can be read")
    func descriptors() async throws {
        let region = try await region(PowerlessFileCalls(seed: 1), openFiles: 3)
        var packs: [PackID] = []
        for number in 0..<20 {
            let pack = PackID(high: UInt64(number) << 56, low: 9)
            try await region.create(pack)
            try await region.write([UInt8(number)], to: pack, at: 0)
            try await region.seal(pack, at: 1)
            packs.append(pack)
        }
        func openFiles() throws -> Int {
            try openPaths().filter { $0.contains(directory.path) && $0.hasSuffix(".pack") }.count
        }
        for round in 0..<3 {
            for (number, pack) in packs.enumerated() {
                #expect(try await region.read(pack, [0..<1]) == [[UInt8(number)]], "round \(round)")
            }
            #expect(try openFiles() <= 3)
        }
        try await region.close()
        #expect(try openFiles() == 0)
    }

    @Test("ranges are answered in order, short where the pack ends")
    func ranges() async throws {
        let region = try await region(PowerlessFileCalls(seed: 1))
        try await region.create(pack)
        var generator = SeededGenerator(seed: 4)
        let bytes = generator.bytes(3_000_000)
        try await region.write(bytes, to: pack, at: 0)
        let ranges: [Range<UInt64>] = [
            0..<10, 10..<10, 10..<500, 400..<600, 100_000..<900_000, 900_000..<2_999_990, 2_999_990..<3_000_100,
            4_000_000..<4_000_001,
        ]
        let answers = try await region.read(pack, ranges)
        for (range, answer) in zip(ranges, answers) {
            let there = range.clamped(to: 0..<3_000_000)
            expectEqual(answer, Array(bytes[Int(there.lowerBound)..<Int(there.upperBound)]))
        }
        try await region.close()
    }

    @Test("a note is replaced as a whole and survives")
    func notes() async throws {
        let calls = PowerlessFileCalls(seed: 1)
        let first = try await region(calls)
        #expect(try await first.loadNote("n") == nil)
        try await first.storeNote([1, 2, 3], "n")
        calls.faults.failures["fsync"] = [EIO]
        await #expect(throws: StorageError(.io, "")) { try await first.storeNote([4], "n") }
        #expect(try await first.loadNote("n") == [1, 2, 3])
        try await first.close()
        let second = try await region(calls)
        #expect(try await second.loadNote("n") == [1, 2, 3])
        try await second.close()
    }

    @Test("a region that was not opened does nothing")
    func notOpen() async throws {
        let region = LocalPackRegion(directory: directory.appending("closed"))
        await #expect(throws: StorageError(.unavailable, "")) { try await region.create(pack) }
        await #expect(throws: StorageError(.unavailable, "")) { _ = try await region.list() }
        #expect(access(directory.appending("closed"), F_OK) != 0)
    }

    @Test("a directory that can't be made is unavailable and named")
    func impossibleDirectory() async throws {
        try writeFile(directory.appending("file"), [1])
        await #expect {
            _ = try await LocalBlockStore.open(directories: [directory.appending("file/below")])
        } throws: { error in
            (error as? StorageError)?.code == .unavailable && "\(error)".contains("file/below")
        }
    }
}
