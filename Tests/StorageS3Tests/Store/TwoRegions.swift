import Model
import Storage
import Synchronization
import TestSupport
import Testing

@testable import S3Support
@testable import StorageS3

/// Two servers, and stores over both.
struct TwoRegions: Sendable {
    let near: FakeS3
    let far: FakeS3

    init() async throws {
        near = try await FakeS3.start()
        far = try await FakeS3.start()
    }

    var servers: [FakeS3] { [near, far] }

    func open(
        minimumCopies: Int? = nil, packSize: Int = 64 << 20, hedgeDelay: Duration? = nil,
        patience: Duration = .seconds(2), retries: S3RetryPolicy = .fast, wallClock: any WallClock = SystemWallClock()
    ) async throws -> S3BlockStore {
        try await S3BlockStore.open(
            regions: [
                near.configuration("near", retries: retries), far.configuration("far", retries: retries),
            ],
            configuration: S3StoreConfiguration(
                packSize: packSize, minimumCopies: minimumCopies, patience: patience, hedgeDelay: hedgeDelay),
            wallClock: wallClock)
    }

    func stop() async throws { for server in servers { try? await server.stop() } }

    /// Fails unless both hold the same packs, byte for byte, and nothing is left to be repaired.
    func expectEqual(_ comment: Comment? = nil, at location: SourceLocation = #_sourceLocation) {
        let isEqual = near.objects() == far.objects()
        #expect(isEqual, comment, sourceLocation: location)
        #expect(notes.isEmpty, comment, sourceLocation: location)
    }

    /// The keys of all notes.
    var notes: Set<String> { Set(servers.flatMap { $0.objects("repairs/").keys }) }

    static func with(_ body: (TwoRegions) async throws -> Void) async throws {
        let regions = try await TwoRegions()
        try await body(regions)
        try await regions.stop()
    }
}

/// What a test knows of the records that it has appended.
struct Sample: Sendable {
    var generator: SeededGenerator
    private(set) var acknowledged: [(location: PackLocation, bytes: [UInt8])] = []

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func append(
        to store: some BlockStore, count: Int = 3, size: ClosedRange<Int> = 0...900
    ) async throws {
        let records = (0..<count).map { _ in generator.bytes(Int.random(in: size, using: &generator)) }
        let locations = try await store.append(records)
        acknowledged += zip(locations, records).map { (location: $0, bytes: $1) }
    }

    /// Reads everything that was acknowledged.
    func verify(in store: some BlockStore, at location: SourceLocation = #_sourceLocation) async throws {
        let answers = try await store.read(acknowledged.map(\.location))
        let isSame = answers == acknowledged.map(\.bytes)
        #expect(isSame, sourceLocation: location)
    }

    mutating func forget(_ pack: PackID) { acknowledged.removeAll { $0.location.pack == pack } }

    var packs: Set<PackID> { Set(acknowledged.map(\.location.pack)) }
}

/// Scans all packs of a store.
func scanAll(_ store: some BlockStore) async throws -> [PackRecord] {
    let found = Mutex<[PackRecord]>([])
    for pack in try await store.packs() {
        try await store.scan(pack.pack) { record in found.withLock { $0.append(record) } }
    }
    return found.withLock { $0 }
}

/// The key of a pack.
func key(_ pack: PackID) -> String { "packs/\(pack.hex)" }
