import Foundation
import Model
import Storage
import StorageConformance
import StorageLocal
import Synchronization
import TestSupport
import Testing

/// Reading records without a store.
@Suite struct PackReaderTests {
    private func filled(_ disk: MemoryDisk) async throws -> (Sample, PackSummary, MemoryPackRegion) {
        let store = try await openStore([disk])
        var sample = Sample(seed: 3)
        for _ in 0..<5 { try await sample.append(to: store, size: 0...3000) }
        try await store.close()
        let region = MemoryPackRegion(disk: disk)
        return (sample, try #require(try await region.list().first), region)
    }

    @Test("records are found where they lie, in any order, and are whole")
    func frames() async throws {
        let (sample, pack, region) = try await filled(MemoryDisk())
        var reader = PackReader(region: region, pack: pack)
        for record in sample.acknowledged + sample.acknowledged.reversed() {
            let frame = try #require(await reader.frame(at: record.location))
            #expect(frame.isIntact)
            #expect(frame.location == record.location && frame.offset == record.location.offset - 24)
            #expect(frame.bytes.count == record.bytes.count + 24)
            frame.withPayload { expectEqual(Array($0), record.bytes) }
        }
        #expect(reader.failure == nil)
        let first = try #require(sample.acknowledged.first)
        #expect(first.location.frame?.lowerBound == PackLocation.firstFrame)
    }

    @Test("a flipped bit anywhere in a record is told", arguments: [-24, -20, -16, -12, -8, -1, 0, 40])
    func damaged(place: Int) async throws {
        let disk = MemoryDisk()
        let (sample, pack, region) = try await filled(disk)
        let victim = try #require(sample.acknowledged.first { $0.bytes.count > 100 }).location
        disk.flipBit(of: pack.pack, at: UInt64(Int(victim.offset) + place), bit: 2)
        var reader = PackReader(region: region, pack: pack)
        for record in sample.acknowledged {
            #expect(await reader.frame(at: record.location)?.isIntact == (record.location != victim))
        }
    }

    @Test("a location that is another's, or of another length, is no record")
    func elsewhere() async throws {
        let (sample, pack, region) = try await filled(MemoryDisk())
        let right = try #require(sample.acknowledged.dropFirst(3).first { $0.bytes.count > 100 }).location
        var reader = PackReader(region: region, pack: pack)
        for (offset, length) in [(1, 0), (-1, 0), (0, 1), (0, -1)] {
            let wrong = PackLocation(
                pack: right.pack, offset: UInt64(Int(right.offset) + offset),
                length: UInt32(Int(right.length) + length))
            #expect(await reader.frame(at: wrong)?.isIntact == false)
        }
        let foreign = PackLocation(pack: PackID(high: 1, low: 1), offset: right.offset, length: right.length)
        #expect(await reader.frame(at: foreign)?.isIntact == false)
    }

    @Test("where no record can lie there is none")
    func nowhere() async throws {
        let (_, pack, region) = try await filled(MemoryDisk())
        var reader = PackReader(region: region, pack: pack)
        let places: [(UInt64, UInt32)] = [
            (0, 1), (55, 1), (pack.size, 1), (pack.size - 1, 2), (1 << 40, 1), (56, .max),
        ]
        for (offset, length) in places {
            let place = PackLocation(pack: pack.pack, offset: offset, length: length)
            #expect(await reader.frame(at: place) == nil)
        }
        #expect(await reader.bytes(0..<4).elementsEqual(Array("CAIR".utf8)))
        #expect(await reader.bytes(pack.size..<pack.size + 9).isEmpty)
    }

    @Test("bytes that can't be read are told as a failure")
    func unreadable() async throws {
        let disk = MemoryDisk()
        let (sample, pack, region) = try await filled(disk)
        disk.lose(pack.pack)
        var reader = PackReader(region: region, pack: pack)
        #expect(await reader.frame(at: sample.acknowledged[0].location) == nil)
        #expect(reader.failure?.code == .notFound)
    }

    @Test("a scan goes at the pace that is asked for, and mends what it has passed when it is cut short")
    func pace() async throws {
        struct Enough: Error {}
        let disks = [MemoryDisk(), MemoryDisk()]
        let first = try await openStore(disks)
        var sample = Sample(seed: 4)
        for _ in 0..<8 { try await sample.append(to: first, count: 1, size: 400_000...500_000) }
        try await first.close()
        let store = try await openStore(disks, seed: 2)
        let pack = try #require(sample.packs.first)
        let whole = disks[0].fingerprint
        let steps = Mutex<[Int]>([])
        try await store.scan(pack, pace: { bytes in steps.withLock { $0.append(bytes) } }, visit: { _ in })
        #expect(steps.withLock { $0.reduce(0, +) } == (disks[0].packs[pack]?.count ?? 0) - 32)
        #expect(steps.withLock { $0.count } >= 3)
        disks[0].flipBit(of: pack, at: sample.acknowledged[0].location.offset)
        await #expect(throws: Enough.self) {
            try await store.scan(pack, pace: { _ in throw Enough() }, visit: { _ in })
        }
        #expect(disks[0].fingerprint == whole)
        try await store.close()
    }
}

/// The packs of a directory for who only reads them.
@Suite struct ReadOnlyRegionTests {
    private let directory = TemporaryDirectory()

    @Test("it reads sealed packs and those that grow, beside the server that writes them")
    func reads() async throws {
        let store = try await LocalBlockStore.open(directories: [directory.path])
        var sample = Sample(seed: 5)
        try await sample.append(to: store)
        let region = ReadOnlyPackRegion(directory: directory.path)
        try await region.open()
        for isSealed in [false, true] {
            if isSealed { try await store.close() }
            let packs = try await region.list()
            #expect(packs.map(\.isSealed) == [isSealed])
            let pack = try #require(packs.first)
            #expect(try await region.find(pack.pack) == pack)
            var reader = PackReader(region: region, pack: pack)
            for record in sample.acknowledged { #expect(await reader.frame(at: record.location)?.isIntact == true) }
        }
        #expect(try await region.find(PackID(high: 1, low: 1)) == nil)
        await #expect(throws: StorageError(.notFound, "")) {
            try await region.read(PackID(high: 1, low: 1), [0..<4])
        }
        try await region.close()
    }

    @Test("it changes nothing and makes nothing")
    func refuses() async throws {
        let region = ReadOnlyPackRegion(directory: directory.path)
        try await region.open()
        #expect(try await region.list().isEmpty)
        let pack = PackID(high: 1, low: 1)
        let changes: [@Sendable () async throws -> Void] = [
            { try await region.create(pack) }, { try await region.write([1], to: pack, at: 0) },
            { try await region.truncate(pack, to: 0) }, { try await region.seal(pack, at: 0) },
            { try await region.delete(pack) }, { try await region.storeNote([1], "repairs") },
            { try await region.check() },
        ]
        for change in changes { await #expect(throws: StorageError(.readOnly, "")) { try await change() } }
        #expect(try await region.loadNote("repairs") == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
        await #expect(throws: StorageError(.unavailable, "")) {
            try await ReadOnlyPackRegion(directory: directory.appending("none")).open()
        }
    }
}
