import Model
import Storage
import StorageConformance
import Synchronization
import TestSupport
import Testing

/// Bits that rot, files that shrink or vanish: what one region has lost comes back from the other.
@Suite struct DamageTests {
    private let disks = [MemoryDisk(), MemoryDisk()]

    private func filled(_ disks: [MemoryDisk], seed: UInt64 = 1) async throws -> (PackedBlockStore, Sample, PackID) {
        let first = try await openStore(disks, seed: seed)
        var sample = Sample(seed: seed)
        for _ in 0..<4 { try await sample.append(to: first, size: 50...900) }
        try await first.close()
        let store = try await openStore(disks, seed: seed + 100)
        return (store, sample, try #require(sample.packs.first))
    }

    @Test("a damaged record is read from the second region, and the first is repaired from it")
    func repairedOnRead() async throws {
        let (store, sample, pack) = try await filled(disks)
        let whole = disks[0].fingerprint
        let victims = [sample.acknowledged[2].location, sample.acknowledged[7].location]
        disks[0].flipBit(of: pack, at: victims[0].offset + 3)
        disks[0].flipBit(of: pack, at: victims[1].offset - 1)
        try await sample.verify(in: store)
        #expect(disks[0].fingerprint == whole)
        #expect(store.statistics.damagedRecords == 2)
        #expect(store.statistics.repairedRecords == 2)
        #expect(store.statistics.pendingRepairs == 0)
        try await store.close()
    }

    @Test("any single flipped bit is found and mended", arguments: 0..<60)
    func anyBit(seed: Int) async throws {
        let (store, sample, pack) = try await filled(disks, seed: UInt64(seed) + 1)
        let whole = disks[0].fingerprint
        var generator = SeededGenerator(seed: UInt64(seed))
        let victim = try #require(sample.acknowledged.randomElement(using: &generator)).location
        let place = UInt64.random(in: victim.offset - 24..<victim.offset + UInt64(victim.length), using: &generator)
        disks[seed % 2].flipBit(of: pack, at: place, bit: UInt8.random(in: 0...7, using: &generator))
        if seed % 2 == 0 { try await sample.verify(in: store) } else { _ = try await scanAll(store) }
        #expect(disks[seed % 2].fingerprint == whole)
        try await store.close()
    }

    @Test("damage in both regions is told with pack and offset, and costs no other record")
    func damagedEverywhere() async throws {
        let (store, sample, pack) = try await filled(disks)
        let victim = sample.acknowledged[5].location
        for disk in disks { disk.flipBit(of: pack, at: victim.offset) }
        await #expect {
            _ = try await store.read(victim)
        } throws: { error in
            let text = "\(error)"
            return (error as? StorageError)?.code == .corrupt && text.contains(pack.hex)
                && text.contains("offset \(victim.offset)") && text.contains("region 0") && text.contains("region 1")
        }
        for record in sample.acknowledged where record.location != victim {
            let isSame = try await store.read(record.location) == record.bytes
            #expect(isSame)
        }
        let corrupt = try await scanAll(store).filter { $0.state == .corrupt }
        #expect(corrupt.map(\.location) == [victim])
        // A good copy from elsewhere puts it right in both.
        try await store.repair(victim, with: sample.acknowledged[5].bytes)
        try await sample.verify(in: store)
        #expect(disks[0].fingerprint == disks[1].fingerprint)
        try await store.close()
    }

    @Test("different damage in both regions is mended both ways by a scan")
    func scanMendsBoth() async throws {
        let (store, sample, pack) = try await filled(disks)
        let whole = disks[0].fingerprint
        disks[0].flipBit(of: pack, at: sample.acknowledged[1].location.offset)
        disks[1].flipBit(of: pack, at: sample.acknowledged[8].location.offset - 20)
        let found = try await scanAll(store)
        #expect(found.count == sample.acknowledged.count)
        #expect(found.allSatisfy { $0.state != .corrupt })
        #expect(disks[0].fingerprint == whole)
        #expect(disks[1].fingerprint == whole)
        try await store.close()
    }

    @Test("a scan goes on after a header that is lost")
    func lostHeader() async throws {
        let disk = MemoryDisk()
        let (store, sample, pack) = try await filled([disk])
        let victim = sample.acknowledged[3].location
        disk.flipBit(of: pack, at: victim.offset - 24 + 5)
        let found = try await scanAll(store)
        #expect(found.count == sample.acknowledged.count)
        #expect(found[3] == PackRecord(location: victim, state: .corrupt))
        #expect(found.filter { $0.state == .corrupt }.count == 1)
        try await store.close()
    }

    @Test("a truncated pack is read from the second region and copied whole")
    func truncatedPack() async throws {
        let (store, sample, pack) = try await filled(disks)
        disks[0].cut(pack, to: 300)
        try await sample.verify(in: store)
        #expect(store.statistics.pendingRepairs == 1)
        #expect(try await store.repairMissing() == 1)
        #expect(disks[0].fingerprint == disks[1].fingerprint)
        #expect(store.statistics.pendingRepairs == 0)
        try await store.close()
    }

    @Test("a missing pack is read from the second region and copied whole")
    func missingPack() async throws {
        let (store, sample, pack) = try await filled(disks)
        disks[0].lose(pack)
        try await sample.verify(in: store)
        try await store.close()
        let again = try await openStore(disks, seed: 7)
        #expect(again.statistics.pendingRepairs == 1)
        try await again.repairMissing()
        #expect(disks[0].fingerprint == disks[1].fingerprint)
        try await again.close()
    }

    @Test("with one region a missing pack is not found, a truncated one corrupt, and a failing one not lost")
    func singleRegion() async throws {
        let disk = MemoryDisk()
        let (store, sample, pack) = try await filled([disk])
        let last = try #require(sample.acknowledged.last).location
        disk.cut(pack, to: Int(last.offset) + 1)
        await #expect(throws: StorageError(.corrupt, "")) { _ = try await store.read(last) }
        disk.lose(pack)
        await #expect(throws: StorageError(.notFound, "")) { _ = try await store.read(last) }
        disk.cutPower(afterOperations: 0)
        await #expect(throws: StorageError.self) { try await MemoryPackRegion(disk: disk).truncate(pack, to: 0) }
        await #expect(throws: StorageError(.unavailable, "")) { _ = try await store.read(last) }
    }

    @Test("mending a pack keeps what only the region to be mended has")
    func nothingThrownAway() async throws {
        let (store, sample, pack) = try await filled(disks)
        let whole = disks[0].fingerprint
        // The first region is short, so the pack is to be copied; but the second has lost a record meanwhile.
        let last = try #require(sample.acknowledged.last).location
        disks[0].cut(pack, to: Int(last.offset))
        disks[1].flipBit(of: pack, at: sample.acknowledged[0].location.offset)
        _ = try await store.read(last)
        #expect(try await store.repairMissing() == 1)
        #expect(disks[0].fingerprint == whole)
        #expect(disks[1].fingerprint == whole)
        try await sample.verify(in: store)
        try await store.close()
    }

    @Test("no read is ever answered with other bytes, whatever is flipped", arguments: 0..<30)
    func neverWrong(seed: Int) async throws {
        let (store, sample, pack) = try await filled(disks, seed: UInt64(seed) + 500)
        var generator = SeededGenerator(seed: UInt64(seed))
        let size = try #require(disks[0].packs[pack]).count
        for disk in disks {
            for _ in 0..<6 { disk.flipBit(of: pack, at: UInt64.random(in: 0..<UInt64(size), using: &generator)) }
        }
        for record in sample.acknowledged {
            do {
                let isSame = try await store.read(record.location) == record.bytes
                #expect(isSame)
            } catch let error as StorageError {
                #expect(error.code == .corrupt)
            }
        }
        let found = Mutex<[PackLocation: PackRecord.State]>([:])
        try await store.scan(pack) { record in found.withLock { $0[record.location] = record.state } }
        for record in sample.acknowledged {
            if case .intact(let bytes) = found.withLock({ $0[record.location] }) {
                let isSame = bytes == record.bytes
                #expect(isSame)
            }
        }
        try await store.close()
    }
}
