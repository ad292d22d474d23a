import Files
import Metadata
import Model
import Storage
import StorageConformance
import TestSupport
import Testing

/// Random damage to random places: what a check names as lost is what can't be read back, neither more nor less.
@Suite struct CheckPropertyTests {
    private struct Sample {
        let shop: Workshop
        let ada: Principal
        /// What every version had.
        let bytes: [Version: [UInt8]]
    }

    /// Some files with some versions, in a few packs, in closed stores.
    private func sample(_ generator: inout SeededGenerator) async throws -> Sample {
        var shop = try await Workshop(regions: Int.random(in: 1...2, using: &generator), seed: generator.next())
        let ada = try await shop.account()
        var current: [String: [UInt8]] = [:]
        var bytes: [Version: [UInt8]] = [:]
        for round in 0..<3 {
            if round > 0 { shop = try await Workshop(after: shop, seed: generator.next()) }
            for _ in 0..<4 {
                let path = "/f\(Int.random(in: 0..<5, using: &generator))"
                var file = current[path] ?? current.values.randomElement(using: &generator) ?? []
                let size = Int.random(in: 0...20_000, using: &generator)
                let place = Int.random(in: 0...file.count, using: &generator)
                file.insert(contentsOf: generator.bytes(size), at: place)
                current[path] = file
                try await shop.put(path, file, by: ada)
                let head = try await shop.head(of: ada).revision
                let made = try #require(try await shop.versions(of: ada).first { $0.from == head })
                bytes[Version(node: made.node, from: made.from)] = file
            }
            try await shop.store.close()
        }
        return Sample(shop: shop, ada: ada, bytes: bytes)
    }

    private func spoil(_ sample: Sample, _ generator: inout SeededGenerator) async throws {
        let shop = sample.shop
        guard let block = try await shop.blocks(of: sample.ada).randomElement(using: &generator) else { return }
        let id = SQLValue.blob(block.id.digest.bytes)
        let disk = shop.disks.randomElement(using: &generator)!
        let packs = disk.packs.mapValues(\.count).sorted { $0.key < $1.key }
        guard let (pack, size) = packs.randomElement(using: &generator), size > 32 else { return }
        switch Int.random(in: 0..<14, using: &generator) {
        case 0...3: disk.flipBit(of: pack, at: UInt64.random(in: 0..<UInt64(size), using: &generator), bit: 3)
        case 4...6:
            let place = UInt64.random(in: block.offset - 24..<block.offset + UInt64(block.length), using: &generator)
            for disk in shop.disks where disk.packs[block.pack]?.count ?? 0 > Int(place) {
                disk.flipBit(of: block.pack, at: place, bit: 1)
            }
        case 7: disk.cut(pack, to: Int.random(in: 32...size, using: &generator))
        case 8: if shop.disks.count > 1 || Bool.random(using: &generator) { disk.lose(pack) }
        case 9: try await shop.spoil("DELETE FROM block WHERE id = $1", [id])
        case 10:
            let column = ["place", "length", "plain_length"].randomElement(using: &generator)!
            try await shop.spoil("UPDATE block SET \(column) = \(column) + 1 WHERE id = $1", [id])
        case 11:
            try await shop.spoil(
                "UPDATE block SET pack = $1 WHERE id = $2", [.blob(PackID(using: &generator).bytes), id])
        case 12: try await shop.spoil("DELETE FROM page WHERE id = (SELECT id FROM page ORDER BY id LIMIT 1)")
        default:
            try await shop.spoil(
                "UPDATE page SET bytes = $1 WHERE id = (SELECT id FROM page ORDER BY id DESC LIMIT 1)",
                [.blob([7])])
        }
    }

    /// The versions that can't be read, by reading all.
    private func unreadable(_ sample: Sample) async throws -> Set<Version> {
        var lost: Set<Version> = []
        for file in try await sample.shop.versions(of: sample.ada) {
            let version = Version(node: file.node, from: file.from)
            if let bytes = try await sample.shop.bytes(of: file, by: sample.ada) {
                let isSame = bytes == sample.bytes[version]
                #expect(isSame, "what can be read is what was written")
            } else {
                lost.insert(version)
            }
        }
        return lost
    }

    @Test("what is named as lost is what can't be read back", arguments: 0..<40)
    func exact(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let sample = try await sample(&generator)
        #expect(try await sample.shop.check().damage.isEmpty)
        for _ in 0..<Int.random(in: 1...6, using: &generator) { try await spoil(sample, &generator) }
        let checked = try await sample.shop.check()
        let lost = try await unreadable(sample)
        #expect(checked.versions == lost)
        #expect(checked.of(.file).count == lost.count)
        // The server's own way of reading agrees, and finds no more.
        let again = try await Workshop(after: sample.shop)
        for file in try await again.versions(of: sample.ada) where file.end == nil {
            let path = try #require(
                try await again.database.read { try NodeQueries($0).node(file.node, in: sample.ada.home) })
            let isLost = lost.contains(Version(node: file.node, from: file.from))
            do {
                _ = try await again.read("/\(path.state.name)", by: sample.ada)
                #expect(!isLost, "seed \(seed): \(path.state.name)")
            } catch let error as FilesError {
                #expect(error.code == .corruptData)
                #expect(isLost, "seed \(seed): \(path.state.name): \(error)")
            }
        }
        try await again.store.close()
    }

    @Test("a repair costs nothing that could be read, and leaves nothing to repair", arguments: 0..<25)
    func repair(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: 1000 + seed)
        let sample = try await sample(&generator)
        for _ in 0..<Int.random(in: 1...6, using: &generator) { try await spoil(sample, &generator) }
        let before = try await unreadable(sample)
        let packs = sample.shop.disks.map { Set($0.packs.keys) }
        _ = try await sample.shop.check(repairs: true)
        #expect(try await unreadable(sample) == before, "what can be read in one region could be read before")
        for (disk, packs) in zip(sample.shop.disks, packs) { #expect(packs.isSubset(of: disk.packs.keys)) }
        let after = try await sample.shop.check(repairs: true)
        #expect(after.repaired.isEmpty)
        #expect(after.of(.record).isEmpty && after.of(.pack).isEmpty)
        // Now either region is enough.
        for (index, region) in sample.shop.regions.enumerated() {
            for other in sample.shop.regions.indices { sample.shop.regions[other].plan.isDown = other != index }
            #expect(try await unreadable(sample) == before, "\(region.name) alone")
        }
        for region in sample.shop.regions { region.plan.isDown = false }
    }
}
