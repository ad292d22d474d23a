import Model
import Storage
import StorageConformance
import TestSupport
import Testing

/// Reading one pack of several regions, each record where it is whole.
@Suite struct PackMergeTests {
    /// Disks with the same pack of some records.
    private func filled(_ count: Int) async throws -> (Sample, pack: PackID, disks: [MemoryDisk]) {
        let disks = (0..<count).map { _ in MemoryDisk() }
        let store = try await openStore(disks)
        var sample = Sample(seed: 5)
        for _ in 0..<6 { try await sample.append(to: store, size: 100...3000) }
        try await store.close()
        return (sample, try #require(sample.packs.first), disks)
    }

    private func merge(_ pack: PackID, _ disks: [MemoryDisk], upTo size: UInt64? = nil) -> PackMerge {
        let copies = disks.map { disk in
            (region: MemoryPackRegion(disk: disk) as any PackRegion, size: UInt64(disk.packs[pack]?.count ?? 0))
        }
        return PackMerge(pack: pack, upTo: size ?? copies.map(\.size).max() ?? 0, of: copies)
    }

    private func all(_ merge: PackMerge) async -> (bytes: [UInt8], damaged: [Range<UInt64>]) {
        var merge = merge
        var bytes: [UInt8] = []
        var damaged: [Range<UInt64>] = []
        while let piece = await merge.next() {
            #expect(piece.range == UInt64(bytes.count)..<UInt64(bytes.count + piece.bytes.count))
            bytes += piece.bytes
            if !piece.isIntact { damaged.append(piece.range) }
        }
        return (bytes, damaged)
    }

    @Test("a whole pack comes as it is, also only its beginning")
    func whole() async throws {
        let (sample, pack, disks) = try await filled(1)
        let bytes = try #require(disks[0].packs[pack])
        let found = await all(merge(pack, disks))
        #expect(found.bytes == bytes && found.damaged.isEmpty)
        let third = sample.acknowledged[2].location
        let end = third.offset + UInt64(third.length)
        let part = await all(merge(pack, disks, upTo: end))
        #expect(part.bytes == Array(bytes[..<Int(end)]) && part.damaged.isEmpty)
    }

    @Test(
        "each record is taken from a region that has it whole, whatever part of it is damaged",
        arguments: [-24, -12, 0, 50])
    func otherRegions(place: Int) async throws {
        let (sample, pack, disks) = try await filled(3)
        let bytes = try #require(disks[0].packs[pack])
        for (number, record) in sample.acknowledged.enumerated() {
            for spoilt in [number % 3, (number + 1) % 3] {
                disks[spoilt].flipBit(of: pack, at: UInt64(Int(record.location.offset) + place))
            }
        }
        // The header of a pack is known without reading it.
        for disk in disks { disk.flipBit(of: pack, at: 9) }
        let found = await all(merge(pack, disks))
        #expect(found.bytes == bytes && found.damaged.isEmpty)
    }

    @Test("what no region has whole is told, comes as it lies, and costs nothing else", arguments: [-24, -12, 0, 50])
    func damaged(place: Int) async throws {
        let (sample, pack, disks) = try await filled(2)
        var expected = try #require(disks[0].packs[pack])
        let victims = [sample.acknowledged[3].location, sample.acknowledged[7].location]
        for victim in victims {
            for disk in disks { disk.flipBit(of: pack, at: UInt64(Int(victim.offset) + place)) }
            expected[Int(victim.offset) + place] ^= 1
        }
        let found = await all(merge(pack, disks))
        #expect(found.bytes == expected)
        #expect(found.damaged == victims.compactMap(\.frame))
    }

    @Test("a copy that is shorter gives what it has; behind the longest there is nothing")
    func short() async throws {
        let (sample, pack, disks) = try await filled(2)
        let bytes = try #require(disks[0].packs[pack])
        let middle = sample.acknowledged[9].location
        disks[0].cut(pack, to: Int(middle.offset) + 5)
        let found = await all(merge(pack, disks))
        #expect(found.bytes == bytes && found.damaged.isEmpty)
        disks[1].cut(pack, to: Int(middle.offset) + 5)
        let cut = await all(merge(pack, disks, upTo: UInt64(bytes.count)))
        #expect(cut.bytes == Array(bytes[..<(Int(middle.offset) + 5)]))
        #expect(cut.damaged == [middle.offset - 24..<middle.offset + 5])
        disks[1].cut(pack, to: 31)
        disks[0].cut(pack, to: 0)
        #expect(await all(merge(pack, disks, upTo: 1000)).bytes.isEmpty)
    }

    @Test("a damaged stretch that is long comes in steps")
    func long() async throws {
        let disk = MemoryDisk()
        let store = try await openStore([disk])
        var sample = Sample(seed: 6)
        try await sample.append(to: store, count: 1, size: 2_500_000...2_500_000)
        try await store.close()
        let record = sample.acknowledged[0].location
        disk.flipBit(of: record.pack, at: record.offset + 7)
        let found = await all(merge(record.pack, [disk]))
        #expect(found.bytes == disk.packs[record.pack])
        #expect(found.damaged.count == 3)
        #expect(found.damaged.first?.lowerBound == record.frame?.lowerBound)
        #expect(found.damaged.last?.upperBound == record.frame?.upperBound)
    }
}
