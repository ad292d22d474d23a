import Files
import Foundation
import HTTPAPI
import Logging
import Metadata
import MetadataSQLite
import Model
import Storage
import StorageS3
import TestSupport
import Testing

@testable import S3Support
@testable import cairn_server

@Suite("The archive in a bucket", .timeLimit(.minutes(2)))
struct ArchiveBucketTests {
    private let directory = TemporaryDirectory()
    private let server: FakeS3
    private let database: any MetadataDatabase
    private static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    init() async throws {
        server = try await FakeS3.start()
        database = try SQLiteMetadataDatabase(path: directory.appending("cairn.db"))
    }

    private func choice(_ server: FakeS3, bucket: String = FakeS3.bucketName) -> ArchiveChoice {
        let region = S3Region(
            name: "archive", endpoint: server.address, bucket: bucket, region: FakeS3.region,
            accessKey: FakeS3.credentials.accessKey, secretKey: FakeS3.credentials.secretKey, authorities: nil,
            isPathStyle: true)
        return ArchiveChoice(
            place: .bucket(region, storageClass: "GLACIER", S3ArchiveConfiguration()), policy: ArchivePolicy(),
            round: .seconds(86_400))
    }

    private func open(_ choice: ArchiveChoice) async throws -> ArchiveTier {
        try await ArchiveSet.open(choice, database: database, packSize: 1 << 20, clock: SystemWallClock())
    }

    private func refusal(_ choice: ArchiveChoice) async -> String {
        do {
            try await open(choice).store.close()
            return "it was not refused"
        } catch {
            let failure = Failure(describing: error)
            return "\(failure.code.rawValue) \(failure.message)"
        }
    }

    @Test("it is marked at first, and known by its mark from then on")
    func marks() async throws {
        let first = try await open(choice(server))
        let place = try await first.store.append([[1, 2, 3]])[0]
        #expect(try await first.store.thaw([place.pack]).count == 1)
        try await first.store.close()
        let (known, path) = try await database.read {
            (try ArchiveQueries($0).region(), try ArchiveQueries($0).directory())
        }
        #expect(known != nil && path == "s3:archive")
        #expect(server.objects("archive/region").count == 1)
        #expect(server.objects("packs/").isEmpty && server.objects("archive/packs/").count == 1)
        let second = try await open(choice(server))
        #expect(try await second.store.packs().map(\.pack) == [place.pack])
        try await second.store.close()
    }

    @Test("another bucket is refused by name, and not written to")
    func refused() async throws {
        try await open(choice(server)).store.close()
        let other = try await FakeS3.start()
        #expect(await refusal(choice(other)).contains("bears no mark"))
        #expect(other.objects("").isEmpty)
        let foreign = try SQLiteMetadataDatabase(path: directory.appending("other.db"))
        let theirs = try await ArchiveSet.open(
            choice(other), database: foreign, packSize: 1 << 20, clock: SystemWallClock())
        try await theirs.store.close()
        #expect(await refusal(choice(other)).contains("not the archive of this server, which is"))
        let fresh = try SQLiteMetadataDatabase(path: directory.appending("fresh.db"))
        await #expect {
            _ = try await ArchiveSet.open(
                choice(other), database: fresh, packSize: 1 << 20, clock: SystemWallClock())
        } throws: { ($0 as? Failure)?.message.contains("archive of another server") == true }
        let wrong = await refusal(choice(server, bucket: "NO"))
        #expect(wrong.hasPrefix("78 ") && wrong.contains("'NO' is not the name of a bucket"))
    }

    @Test("a server starts without it as long as it is known, and uses it when it is back")
    func away() async throws {
        server.isDown = true
        #expect(await refusal(choice(server)).hasPrefix("69 "))
        server.isDown = false
        let first = try await open(choice(server))
        let place = try await first.store.append([[1]])[0]
        try await first.store.close()
        server.isDown = true
        let tier = try await open(choice(server))
        await #expect(throws: StorageError(.unavailable, "")) { try await tier.store.thaw([place.pack]) }
        server.isDown = false
        let archive = try #require(tier.store as? S3Archive)
        await archive.region.lookAgain()
        guard case .thawing? = try await archive.thaw([place.pack])[place.pack] else {
            Issue.record("it was not asked for")
            return
        }
        try await archive.close()
    }

    @Test("a process opens it beside its packs, and a backup says that it can't read it")
    func beside() async throws {
        let settings = Settings.options(["--data", directory.appending("data")])
        var configuration = try ServerConfiguration(settings) { try String(contentsOfFile: $0, encoding: .utf8) }
        configuration.archive = choice(server)
        let backends = try await Backends.open(configuration, metrics: PrometheusRegistry(), log: Self.quiet)
        let tier = try #require(backends.archive)
        #expect(tier.limits.portion == 32 << 20)
        let places = try await tier.store.append([[5]])
        #expect(try await tier.store.state(of: [places[0].pack]) == [places[0].pack: .frozen])
        let hand = try await RegionsAtHand.open(
            try DataFolder(directory.appending("data"), create: false), named: [], database: backends.database,
            writing: false)
        #expect(hand.archive == nil)
        #expect(hand.missing.contains { $0.path == "s3:archive" && $0.cause.contains("is a bucket") })
        await hand.close()
        try await backends.close()
    }
}
