import Files
import Foundation
import HTTPAPI
import Logging
import Metadata
import Model
import Storage
import StorageS3
import Synchronization
import TestSupport
import Testing

@testable import S3Support
@testable import cairn_server

@Suite("Packs in buckets", .timeLimit(.minutes(2)))
struct BucketsTests {
    private let directory = TemporaryDirectory()
    private let near: FakeS3
    private let far: FakeS3
    private static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    init() async throws {
        near = try await FakeS3.start()
        far = try await FakeS3.start()
    }

    private func region(_ name: String, _ server: FakeS3) -> S3Region {
        S3Region(
            name: name, endpoint: server.address, bucket: FakeS3.bucketName, region: FakeS3.region,
            accessKey: FakeS3.credentials.accessKey, secretKey: FakeS3.credentials.secretKey, authorities: nil,
            isPathStyle: true)
    }

    private var regions: [S3Region] { [region("near", near), region("far", far)] }

    /// Opens the systems of a process on a database that all of a test share.
    private func open(_ regions: [S3Region]? = nil, policy: CopyPolicy = .one) async throws -> Backends {
        let settings = Settings.options(["--data", directory.appending("data")])
        var configuration = try ServerConfiguration(settings) { try String(contentsOfFile: $0, encoding: .utf8) }
        configuration.storage = StorageChoice(place: .s3(regions ?? self.regions), packSize: 1 << 20, policy: policy)
        return try await Backends.open(configuration, metrics: PrometheusRegistry(), log: Self.quiet)
    }

    private func refusal(_ regions: [S3Region]) async -> Failure {
        do {
            // A refused start keeps the directory to itself until its process ends: each gets another one with the same rows.
            try await open(regions).close()
            return Failure(.usage, "it was not refused")
        } catch { return Failure(describing: error) }
    }

    private func set(_ database: any MetadataDatabase) -> BucketSet {
        BucketSet(database: database, clock: ManualClock(), log: Self.quiet)
    }

    private func resolve(_ database: any MetadataDatabase, _ regions: [S3Region]) async -> Result<[RegionID?], Failure>
    {
        do {
            return .success(try await set(database).resolve(regions.map(\.configuration)).map(\.identity))
        } catch { return .failure(Failure(describing: error)) }
    }

    private func message(_ database: any MetadataDatabase, _ regions: [S3Region]) async -> String {
        switch await resolve(database, regions) {
        case .success: "it was not refused"
        case .failure(let failure): "\(failure.code.rawValue) \(failure.message)"
        }
    }

    @Test("packs lie in all regions; one may be away, and gets what it lacks from the repair of a process")
    func away() async throws {
        let backends = try await open()
        let store = backends.store
        #expect(backends.buckets != nil)
        var places = try await store.append([[1, 2, 3]])
        #expect(near.objects() == far.objects() && near.objects().count == 1)
        near.isDown = true
        places += try await store.append([[4], [5, 6]])
        #expect(try await store.read(places) == [[1, 2, 3], [4], [5, 6]])
        try await store.check()
        #expect(store.statistics.pendingRepairs == 1)
        #expect(far.objects("repairs/copy/near/").count == 1)
        near.isDown = false
        #expect(try await store.repairMissing() == 1)
        #expect(near.objects() == far.objects() && far.objects("repairs/").isEmpty)
        #expect(store.statistics.pendingRepairs == 0)
        far.isDown = true
        #expect(try await store.read(places) == [[1, 2, 3], [4], [5, 6]])
        try await backends.close()
    }

    @Test("with the policy of all copies a region that is away stops writes, but neither starts nor reads")
    func all() async throws {
        let first = try await open(policy: .all)
        let places = try await first.store.append([[1, 2, 3]])
        try await first.close()
        far.isDown = true
        let backends = try await open(policy: .all)
        #expect(try await backends.store.read(places) == [[1, 2, 3]])
        await #expect(throws: StorageError(.unavailable, "")) { _ = try await backends.store.append([[4]]) }
        await #expect(throws: StorageError(.unavailable, "")) { try await backends.store.check() }
        far.isDown = false
        _ = try await backends.store.repairMissing()
        _ = try await backends.store.append([[4]])
        try await backends.store.check()
        #expect(near.objects() == far.objects() && near.objects().count == 2)
        try await backends.close()
    }

    @Test("a region that hangs is not waited for by who asks whether the store is ready")
    func hangs() async throws {
        let backends = try await open()
        near.fail(.init(fault: .silent))
        let start = ContinuousClock.now
        try await backends.store.check()
        #expect(start.duration(to: .now) < .seconds(15))
        near.heal()
        try await backends.close()
    }

    @Test("buckets are marked at the first start, and known by their marks from then on")
    func marks() async throws {
        let backends = try await open()
        let database = backends.database
        let known = try await database.read { try RegionQueries($0).all() }
        #expect(Set(known.map(\.path)) == ["s3:near", "s3:far"])
        #expect(near.objects("region").count == 1 && near.objects("region") != far.objects("region"))
        let again = try await resolve(database, regions).get()
        #expect(Set(again) == Set(known.map(\.id)))
        // The address may change, the region stays.
        let moved = try await FakeS3.start()
        let objects = near.state.withLock { $0.bucket.objects }
        moved.state.withLock { $0.bucket.objects = objects }
        #expect(try await resolve(database, [region("near", moved), region("far", far)]).get() == again)
        // One that can't be reached is what it was.
        near.isDown = true
        #expect(try await resolve(database, regions).get() == again)
        try await backends.close()
    }

    @Test("what is not the region that it was is refused by name, and not written to")
    func refused() async throws {
        let backends = try await open()
        let database = backends.database
        let (near, far) = (region("near", near), region("far", far))
        let other = try await FakeS3.start()
        let swapped = await message(database, [region("near", self.far), region("far", self.near)])
        #expect(swapped.hasPrefix("78 ") && swapped.contains("and region near was"))
        #expect(await message(database, [near, region("west", self.far)]).contains("never changes"))
        let empty = await message(database, [near, region("far", other)])
        #expect(empty.hasPrefix("78 ") && empty.contains("bears no mark") && empty.contains("region forget"))
        // A new one while another is missed may be that one at a wrong address.
        #expect(await message(database, [near, region("new", other)]).contains("bears no mark"))
        #expect(other.objects("").isEmpty)
        other.state.withLock { state in
            state.bucket.objects["region"] = FakeBucket.Object(
                bytes: Array("cairn-region 1 \(RegionID(high: 1, low: 2).hex)\n".utf8))
        }
        let foreign = await message(database, [near, far, region("new", other)])
        #expect(foreign.contains("may be another server's"))
        other.isDown = true
        #expect(await message(database, [near, far, region("new", other)]).hasPrefix("69 region new is new"))
        #expect(await message(database, [near, region("FAR", self.far)]).hasPrefix("78 storage.regions: 'FAR'"))
        try await backends.close()
    }

    @Test("two names for one bucket are refused, also at the first start")
    func twice() async throws {
        let failure = await refusal([region("near", near), region("other", near)])
        #expect(failure.code == .configuration)
        #expect(failure.message.contains("are the same"))
    }

    @Test("a region that is lost is given up, and the one in its place is filled")
    func replaced() async throws {
        let backends = try await open()
        let places = try await backends.store.append([[1], [2]])
        let lost = try await backends.database.read { try RegionQueries($0).all() }.first { $0.path == "s3:near" }
        let id = try #require(lost?.id)
        _ = try await backends.database.write { try RegionQueries($0).forget(id) }
        try await backends.close()
        let fresh = try await FakeS3.start()
        let again = try await open([region("near", fresh), region("far", far)])
        #expect(fresh.objects("region").count == 1 && fresh.objects().isEmpty)
        let buckets = try #require(again.buckets)
        #expect(try await buckets.noteDifferences(olderThan: .zero) == 1)
        #expect(try await buckets.repairMissing() == 1)
        #expect(fresh.objects() == far.objects())
        far.isDown = true
        #expect(try await again.store.read(places) == [[1], [2]])
        try await again.close()
    }

    @Test("processes that start at once on new buckets agree on what they are")
    func atOnce() async throws {
        let backends = try await open()
        for region in try await backends.database.read({ try RegionQueries($0).all() }) {
            _ = try await backends.database.write { try RegionQueries($0).forget(region.id) }
        }
        for server in [near, far] { server.lose("region") }
        let (database, regions) = (backends.database, regions)
        let answers = try await withThrowingTaskGroup(of: [RegionID?].self) { group in
            for _ in 0..<4 { group.addTask { try await resolve(database, regions).get() } }
            var answers: Set<[RegionID?]> = []
            for try await answer in group { answers.insert(answer) }
            return answers
        }
        #expect(answers.count == 1)
        #expect(try await database.read { try RegionQueries($0).all() }.count == 2)
        try await backends.close()
    }
}
