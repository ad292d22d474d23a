import Blocks
import Logging
import Metadata
import Model
import Storage
import StorageConformance
import Synchronization
import TestSupport
import WireProtocol

@testable import Files

/// A workshop with an archive, whose thaw takes an hour of the manual clock.
struct ArchiveShop: Sendable {
    static let delay = Duration.seconds(3600)
    static let day = Duration.seconds(86_400)

    let shop: Workshop
    let disk: MemoryDisk
    let ada: Principal
    let tier: ArchiveTier

    /// Opens a shop, new or on what another has left.
    init(
        after earlier: ArchiveShop? = nil, policy: ArchivePolicy = ArchivePolicy(),
        limits: ArchiveLimits = ArchiveLimits(),
        seed: UInt64 = 1
    ) async throws {
        let disk = earlier?.disk ?? MemoryDisk()
        shop = try await Workshop(after: earlier?.shop, seed: seed) { clock in
            let store = try await ThawingArchive.open(
                regions: [MemoryPackRegion(name: "archive", disk: disk)],
                pace: ThawingArchive.Pace(delay: Self.delay, period: Self.day), clock: clock,
                generator: SeededGenerator(seed: seed &+ 500))
            return ArchiveTier(store: store, policy: policy, limits: limits)
        }
        self.disk = disk
        if let earlier { ada = earlier.ada } else { ada = try await shop.account() }
        guard let tier = shop.context.archive else { throw StorageError(.notFound, "there is no archive") }
        self.tier = tier
    }

    var context: FilesContext { shop.context }

    func pass(days: Int64) { shop.clock.advance(by: Self.day * Int(days)) }

    /// Writes a file and writes it again with other bytes: the first bytes are needed by a past version only.
    func supersede(_ path: String, _ old: [UInt8], by new: [UInt8]) async throws {
        try await shop.write(path, old, by: ada)
        try await shop.write(path, new, by: ada)
    }

    /// Moves what can go.
    @discardableResult
    func archive() async throws -> ArchiveBlocks.Report { try await ArchiveBlocks(context)() }

    @discardableResult
    func thaw() async throws -> ThawBlocks.Report { try await ThawBlocks(context)() }

    /// Where each of the blocks lies; blocks that have no row are left out.
    func tiers(_ blocks: [BlockID]) async throws -> [BlockID: BlockTier] {
        let account = ada.account
        return try await shop.database.read {
            try BlockQueries($0).locations(blocks, account: account).mapValues(\.tier)
        }
    }

    /// The blocks of a content.
    func blocks(_ content: Content) async throws -> [BlockID] {
        var walk = ContentWalk(context, account: ada.account)
        var blocks: [BlockID] = []
        try await walk.visit(content) { blocks += $0 }
        return blocks
    }

    /// The contents of the files at the head.
    func currentContents() async throws -> [Content] {
        let home = ada.home
        return try await shop.database.read {
            try ArchiveQueries($0).currentFiles(in: home, after: .root, limit: 10_000).map(\.content)
        }
    }

    /// The blocks of current files that lie in the archive.
    func coldNeeded() async throws -> [BlockID] {
        var cold: [BlockID] = []
        for content in try await currentContents() {
            cold += try await tiers(try await blocks(content)).filter { $0.value == .archive }.keys
        }
        return cold
    }

    /// The plaintext of a content that lies hot, as a device would get it.
    func fetch(_ content: Content) async throws -> [UInt8] {
        let ids = try await blocks(content)
        let found = try await FetchBlocks(context)(Array(Set(ids)), by: ada).all()
        let decoder = BlockDecoder()
        let plain = try Dictionary(uniqueKeysWithValues: found.map { ($0.id, try decoder.decode($0)) })
        return ids.flatMap { plain[$0] ?? [] }
    }
}

/// Words in an order that nobody foresees, as in prose, so that archived blocks have something to gain.
func text(_ word: String, _ count: Int) -> [UInt8] {
    var random = SeededGenerator(seed: UInt64(count))
    let syllables = ["ka", "lo", "mi", "ter", "un", "ves", "os", "pri", "den", "sha"]
    return (0..<count).flatMap { _ in
        let (first, second) = (Int.random(in: 0..<10, using: &random), Int.random(in: 0..<10, using: &random))
        return Array("\(word) \(syllables[first])\(syllables[second]) ".utf8)
    }
}

/// Nonces, collected from any thread.
final class CollectedNonces: Sendable {
    private let state = Mutex<[[UInt8]]>([])

    var all: [[UInt8]] { state.withLock { $0 } }

    func add(_ nonce: [UInt8]) { state.withLock { $0.append(nonce) } }
}
