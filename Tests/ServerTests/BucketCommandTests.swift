import Blocks
import Files
import Foundation
import Metadata
import Model
import Storage
import StorageS3
import Synchronization
import TestSupport
import Testing

@testable import S3Support
@testable import cairn_server

@Suite("Commands over buckets", .timeLimit(.minutes(2)))
struct BucketCommandTests {
    private let directory = TemporaryDirectory()
    private let near: FakeS3
    private let far: FakeS3

    init() async throws {
        near = try await FakeS3.start()
        far = try await FakeS3.start()
    }

    private var data: String { directory.appending("data") }

    private var buckets: [S3RegionConfiguration] {
        [("near", near), ("far", far)].map { name, server in
            S3RegionConfiguration(
                name: name, address: server.address, bucket: FakeS3.bucketName, style: .path,
                serverRegion: FakeS3.region, credentials: FakeS3.credentials)
        }
    }

    private func installation(_ buckets: [S3RegionConfiguration]? = nil) throws -> Installation {
        let folder = try DataFolder(data, create: false)
        return Installation(
            folder: folder, databaseServer: nil, keyRing: folder.keyRing, buckets: buckets ?? self.buckets)
    }

    private func fill() async throws -> AccountRecord {
        let served = try await ServedFolder(data, buckets: buckets)
        try await served.put("/a/f", Array(repeating: 7, count: 5000))
        try await served.put("/g", Array("of the second pack".utf8))
        try await served.close()
        return served.account
    }

    private func open(
        _ installation: Installation, named: [String] = []
    ) async throws -> (names: [String], missing: [(path: String, cause: String)]) {
        let database = try await installation.metadata.reader()
        let hand = try await RegionsAtHand.open(installation, named: named, database: database, writing: false)
        let found = (hand.regions.map(\.name), hand.missing)
        await hand.close()
        try await database.close()
        return found
    }

    @Test("buckets are found by the configuration, all or those that are named")
    func find() async throws {
        _ = try await fill()
        let all = try await open(try installation())
        #expect(all.names == ["near", "far"] && all.missing.isEmpty)
        #expect(try await open(try installation(), named: ["far"]).names == ["far"])
        await #expect(throws: Failure.self) { _ = try await open(try installation(), named: ["nowhere"]) }
        // Without the configuration it is said what to name.
        let unnamed = try await open(try installation([]))
        #expect(unnamed.names == [])
        #expect(unnamed.missing.filter { $0.cause.contains("--config") }.count == 2)
    }

    @Test("a bucket that is away, and one that is missing in the configuration, are told")
    func away() async throws {
        _ = try await fill()
        far.isDown = true
        let found = try await open(try installation())
        #expect(found.names == ["near"] && found.missing.map(\.path) == ["far"])
        let half = try await open(try installation(Array(buckets.prefix(1))))
        #expect(half.names == ["near"] && half.missing.map(\.path) == ["s3:far"])
    }

    @Test("fsck reads every record of every bucket, and names what one lacks")
    func check() async throws {
        _ = try await fill()
        func fsck(repairs: Bool = false) async throws -> Int32 {
            try await FsckRun(
                installation: try installation(), regions: [], isFull: true, repairs: repairs,
                report: FsckReport(isJSON: true, isVerbose: false))()
        }
        #expect(try await fsck() == 0)
        let pack = try #require(far.objects().keys.min())
        far.change(pack) { $0[$0.count / 2] ^= 1 }
        #expect(try await fsck() == FsckRun.ExitBits.damaged)
        far.lose(pack)
        #expect(try await fsck() == FsckRun.ExitBits.damaged)
        await #expect(throws: Failure.self) { _ = try await fsck(repairs: true) }
    }

    @Test("everything is exported from either bucket alone", arguments: ["near", "far"])
    func export(name: String) async throws {
        let account = try await fill()
        (name == "near" ? far : near).isDown = true
        let installation = try installation()
        let database = try await installation.metadata.reader()
        let hand = try await RegionsAtHand.open(installation, named: [name], database: database, writing: false)
        let key = try KeyRingFile(path: installation.keyRing).keyRing().unwrap(
            WrappedKey(masterKey: account.masterKey, bytes: account.wrappedKey), for: account.id)
        let contents = StoredContents(
            database: database, regions: hand.all, workers: WorkerPool(workers: 1), account: account.id, key: key)
        let out = directory.appending("out")
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        let failures = Mutex<[String]>([])
        let outcome = try await ExportTree(
            database: database, contents: contents, namespace: account.home, revision: Revision(2), isDry: false,
            list: { _ in }, fail: { path, _ in failures.withLock { $0.append(path) } })(to: ExportPath(out))
        #expect(outcome.files == 2 && outcome.failures == 0 && failures.withLock { $0 }.isEmpty)
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(out)/a/f")) == Data(repeating: 7, count: 5000))
        await hand.close()
        try await database.close()
    }
}
