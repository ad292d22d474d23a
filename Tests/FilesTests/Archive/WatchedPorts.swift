import Files
import Metadata
import Model
import Storage
import TestSupport

/// Called around every call of a port. What it throws before keeps the call from happening; what it throws after loses the answer.
struct PortHook: Sendable {
    var before: @Sendable (String) async throws -> Void = { _ in }
    var after: @Sendable (String) async throws -> Void = { _ in }

    func around<Answer: Sendable>(_ call: String, _ body: () async throws -> Answer) async throws -> Answer {
        try await before(call)
        let answer = try await body()
        try await after(call)
        return answer
    }
}

struct WatchedDatabase: MetadataDatabase {
    let base: any MetadataDatabase
    let hook: PortHook

    func read<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        try await hook.around("read") { try await base.read(body) }
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        try await hook.around("write") { try await base.write(body) }
    }

    func close() async throws { try await base.close() }
}

struct WatchedBlockStore: BlockStore {
    let base: any BlockStore
    let hook: PortHook

    func append(_ records: [[UInt8]]) async throws -> [PackLocation] {
        try await hook.around("append") { try await base.append(records) }
    }

    func read(_ location: PackLocation) async throws -> [UInt8] {
        try await hook.around("fetch") { try await base.read(location) }
    }

    func read(_ locations: [PackLocation]) async throws -> [[UInt8]] {
        try await hook.around("fetch") { try await base.read(locations) }
    }

    func repair(_ location: PackLocation, with bytes: [UInt8]) async throws {
        try await base.repair(location, with: bytes)
    }

    func packs() async throws -> [PackSummary] { try await base.packs() }

    func scan(_ pack: PackID, _ visit: @Sendable (PackRecord) throws -> Void) async throws {
        try await base.scan(pack, visit)
    }

    func delete(_ pack: PackID) async throws { try await base.delete(pack) }

    func check() async throws { try await base.check() }

    func close() async throws { try await base.close() }
}

struct WatchedArchive: ArchiveStore {
    let base: any ArchiveStore
    let hook: PortHook

    func append(_ records: [[UInt8]]) async throws -> [PackLocation] {
        try await hook.around("archive append") { try await base.append(records) }
    }

    func thaw(_ packs: Set<PackID>) async throws -> [PackID: ThawState] {
        try await hook.around("thaw") { try await base.thaw(packs) }
    }

    func state(of packs: Set<PackID>) async throws -> [PackID: ThawState] {
        try await hook.around("state") { try await base.state(of: packs) }
    }

    func read(_ locations: [PackLocation]) async throws -> [[UInt8]] {
        try await hook.around("archive read") { try await base.read(locations) }
    }

    func packs() async throws -> [PackSummary] { try await hook.around("packs") { try await base.packs() } }

    func delete(_ pack: PackID) async throws { try await hook.around("delete") { try await base.delete(pack) } }

    func check() async throws { try await base.check() }

    func close() async throws { try await base.close() }
}

extension ArchiveShop {
    /// The same shop seen through ports that a hook watches.
    func watched(_ hook: PortHook, seed: UInt64 = 9) -> FilesContext {
        FilesContext(
            database: WatchedDatabase(base: shop.database, hook: hook),
            store: WatchedBlockStore(base: shop.store, hook: hook), keyRing: FixedKeyRing(shop.keyRing), bus: shop.bus,
            clock: shop.clock, randomness: Randomness(SeededGenerator(seed: seed)), workers: shop.context.workers,
            log: shop.context.log,
            archive: ArchiveTier(
                store: WatchedArchive(base: tier.store, hook: hook), policy: tier.policy, limits: tier.limits))
    }
}
