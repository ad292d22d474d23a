import Files
import Logging
import Metadata
import Model
import Storage
import StorageConformance
import Synchronization
import TestSupport
import Testing

/// The slow reading of a running server's packs.
@Suite struct ScrubTests {
    /// Remembers how long somebody wanted to wait, and does not.
    private final class Pauses: Sendable {
        let total = Mutex(Duration.zero)
        let remaining: Mutex<Int?> = Mutex(nil)

        func pause(_ time: Duration) throws {
            total.withLock { $0 += time }
            let isOver = remaining.withLock { left in
                left = left.map { $0 - 1 }
                return left.map { $0 < 0 } ?? false
            }
            if isOver { throw CancellationError() }
        }

        func take() -> Duration {
            total.withLock { total in
                defer { total = .zero }
                return total
            }
        }
    }

    private final class Lines: LogHandler, @unchecked Sendable {  // Each test logs from one task at a time.
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug
        let lines = Mutex<[String]>([])

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.withLock { $0.append("\(event.level): \(event.message) \(event.metadata ?? [:])") }
        }
    }

    private let pauses = Pauses()
    private let lines = Lines()

    private func scrub(_ shop: Workshop, rate: Int = 1000) -> ScrubPacks {
        ScrubPacks(
            database: shop.database, store: shop.store, clock: shop.clock, rate: rate,
            pause: { [pauses] in try pauses.pause($0) }, log: Logger(label: "test", factory: { [lines] _ in lines }))
    }

    /// Three packs in two regions, sealed.
    private func filled() async throws -> (Workshop, Principal) {
        var shop = try await Workshop(regions: 2)
        let ada = try await shop.account()
        for number in 0..<3 {
            if number > 0 { shop = try await Workshop(after: shop, seed: UInt64(number) + 5) }
            try await shop.put("/\(number)", SampleFile(random: 9000, seed: UInt64(number)).bytes, by: ada)
            try await shop.store.close()
        }
        return (try await Workshop(after: shop, seed: 99), ada)
    }

    @Test("packs are read in turn, over and over, at the rate that was asked for")
    func turns() async throws {
        let (shop, _) = try await filled()
        let packs = try await shop.store.packs()
        #expect(packs.count == 3)
        for pack in packs + packs {
            #expect(try await scrub(shop, rate: 10).next() == pack.pack)
            let time = Duration.seconds(Double(pack.size - 32) / 10)
            #expect(abs((pauses.take() - time) / .seconds(1)) < 0.1)
        }
    }

    @Test("a small pack takes a minute all the same")
    func least() async throws {
        let (shop, _) = try await filled()
        try await scrub(shop, rate: 1 << 30).next()
        #expect(pauses.take() == .seconds(60))
    }

    @Test("a restart goes on where it was")
    func restart() async throws {
        let (shop, _) = try await filled()
        let packs = try await shop.store.packs().map(\.pack)
        #expect(try await scrub(shop).next() == packs[0])
        try await shop.store.close()
        let again = try await Workshop(after: shop, seed: 100)
        #expect(try await scrub(again).next() == packs[1])
        try await again.store.close()
    }

    @Test("one that is cut short reads the same pack again")
    func cutShort() async throws {
        let (shop, _) = try await filled()
        pauses.remaining.withLock { $0 = 0 }
        await #expect(throws: CancellationError.self) { try await scrub(shop).next() }
        pauses.remaining.withLock { $0 = nil }
        #expect(try await scrub(shop).next() == (try await shop.store.packs().first?.pack))
    }

    @Test("what one region has damaged is rewritten from the other, and told")
    func mends() async throws {
        let (shop, ada) = try await filled()
        let whole = shop.disks.map(\.fingerprint)
        let blocks = try await shop.blocks(of: ada)
        shop.disks[0].flipBit(of: blocks[3].pack, at: blocks[3].offset + 2)
        shop.disks[1].flipBit(of: blocks[8].pack, at: blocks[8].offset + 2)
        for _ in 0..<3 { try await scrub(shop).next() }
        #expect(shop.disks.map(\.fingerprint) == whole)
        #expect(lines.lines.withLock { $0 }.contains { $0.contains("rewritten from another") })
        #expect(!lines.lines.withLock { $0 }.contains { $0.hasPrefix("error") })
    }

    @Test("what no region has any more is told with the block that it was")
    func lost() async throws {
        let (shop, ada) = try await filled()
        let victim = try await shop.blocks(of: ada)[5]
        for disk in shop.disks { disk.flipBit(of: victim.pack, at: victim.offset + 2) }
        for _ in 0..<3 { try await scrub(shop).next() }
        let told = lines.lines.withLock { $0 }.filter { $0.hasPrefix("error") }
        #expect(told.count == 1)
        #expect(told.first?.contains("\(victim.id)") == true)
    }

    @Test("the pack that grows is left alone, and a store without packs has nothing to do")
    func open() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        #expect(try await scrub(shop).next() == nil)
        try await shop.put("/f", [1, 2, 3], by: ada)
        #expect(try await scrub(shop).next() == nil)
    }
}
