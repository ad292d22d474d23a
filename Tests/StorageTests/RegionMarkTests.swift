import Foundation
import Model
import Storage
import StorageLocal
import TestSupport
import Testing

@Suite("The mark of a region")
struct RegionMarkTests {
    private let directory = TemporaryDirectory()
    private let id = RegionID(high: 0xABCD, low: 1)

    private var path: String { directory.appending("disk/region-1") }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    @Test("comes back, in a directory that is made for it")
    func comesBack() throws {
        #expect(try LocalPackRegion.mark(of: path) == nil)
        #expect(!exists(path))
        try LocalPackRegion.mark(path, as: id)
        #expect(try LocalPackRegion.mark(of: path) == id)
        #expect(try String(contentsOfFile: path + "/region", encoding: .utf8) == "cairn-region 1 \(id)\n")
        #expect(!exists(path + "/region.new"))
        let other = RegionID(high: 5, low: 6)
        try LocalPackRegion.mark(path, as: other)
        #expect(try LocalPackRegion.mark(of: path) == other)
    }

    @Test(
        "is refused when it is damaged",
        arguments: [
            "", "cairn-region 1", "cairn-region 1 \n", "cairn-region 2 00000000000000000000000000000001\n",
            "cairn-region 1 00000000000000000000000000000001", "cairn-region 1 0000000000000000000000000000001\n",
            "cairn-region 1 0000000000000000000000000000000g\n", String(repeating: "x", count: 5000),
        ])
    func damaged(text: String) throws {
        try LocalPackRegion.mark(path, as: id)
        try text.write(toFile: path + "/region", atomically: false, encoding: .utf8)
        let error = #expect(throws: StorageError(.corrupt, "")) { try LocalPackRegion.mark(of: path) }
        #expect(error?.message.contains(path) == true)
    }

    @Test("a directory holds packs or does not, marked or not")
    func holdsPacks() async throws {
        #expect(try !LocalPackRegion.holdsPacks(path))
        try LocalPackRegion.mark(path, as: id)
        #expect(try !LocalPackRegion.holdsPacks(path))
        let store = try await LocalBlockStore.open(directories: [path])
        _ = try await store.append([[1, 2, 3]])
        try await store.close()
        #expect(try LocalPackRegion.holdsPacks(path))
    }

    @Test("a directory without the mark, or with another, is not opened, and nothing is made in it")
    func otherDirectory() async throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let missing = try await #require(throws: StorageError(.unavailable, "")) {
            try await LocalPackRegion(directory: path, identity: id).open()
        }
        #expect("\(missing)".contains(path) && "\(missing)".contains("mounted"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        let other = RegionID(high: 5, low: 6)
        try LocalPackRegion.mark(path, as: other)
        let wrong = try await #require(throws: StorageError(.unavailable, "")) {
            try await LocalPackRegion(directory: path, identity: id).open()
        }
        #expect("\(wrong)".contains("\(other)"))
        try await LocalPackRegion(directory: path, identity: other).open()
    }

    @Test("a disk that goes away leaves an empty directory as it is, and gets what it lacks when it is back")
    func unmounted() async throws {
        let paths = [directory.appending("first"), path]
        let ids = [RegionID(high: 1, low: 1), id]
        for (path, id) in zip(paths, ids) { try LocalPackRegion.mark(path, as: id) }
        let store = try await LocalBlockStore.open(
            directories: paths, identities: Dictionary(uniqueKeysWithValues: zip(paths, ids)),
            configuration: PackedStoreConfiguration(minimumCopies: 1))
        let before = try await store.append([[1, 2, 3]])

        // What a lazy unmount looks like: the directory below the mount point comes to light.
        try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        for number in 0..<3 as Range<UInt8> { _ = try? await store.append([[number]]) }
        _ = try? await store.repairMissing()
        #expect(try await store.read(before) == [[1, 2, 3]])
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)

        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
        let after = try await store.append([[9, 9]])
        try await store.close()
        let again = try await LocalBlockStore.open(
            directories: paths.reversed(), identities: Dictionary(uniqueKeysWithValues: zip(paths, ids)))
        _ = try await again.repairMissing()
        #expect(try await again.read(before + after) == [[1, 2, 3], [9, 9]])
        try await again.close()
        let alone = try await LocalBlockStore.open(directories: [path], identities: [path: id])
        #expect(try await alone.read(before + after) == [[1, 2, 3], [9, 9]])
        try await alone.close()
    }
}
