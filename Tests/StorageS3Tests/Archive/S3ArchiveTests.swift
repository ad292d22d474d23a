import Model
import Storage
import StorageConformance
import Synchronization
import TestSupport
import Testing

@testable import S3Support
@testable import StorageS3

/// An archive over a server that restores what is asked for after four hours.
@Suite("An archive in a bucket", .timeLimit(.minutes(2)))
struct S3ArchiveTests {
    private static let delay: Int64 = 4 * 3600
    private let server: FakeS3
    private let clock = ManualClock(SystemWallClock().now())

    init() async throws {
        server = try await FakeS3.start()
        server.state.withLock { $0.bucket.restoreDelay = Self.delay }
    }

    private func region(_ storageClass: String? = "GLACIER") -> S3RegionConfiguration {
        var region = server.configuration("archive")
        region.prefix = "archive"
        region.storageClass = storageClass
        return region
    }

    private func open(
        _ storageClass: String? = "GLACIER", packSize: Int = 1 << 20, tier: S3Client.RestoreTier = .standard
    ) async throws -> S3Archive {
        try await S3Archive.open(
            region: region(storageClass),
            configuration: S3ArchiveConfiguration(packSize: packSize, tier: tier, days: 3), clock: clock,
            generator: SystemRandomNumberGenerator())
    }

    /// Lets time pass, for the server as well.
    private func advance(_ seconds: Int64) {
        clock.advance(by: .seconds(seconds))
        server.state.withLock { $0.bucket.clockOffset += seconds }
    }

    private var restores: Int { server.state.withLock { $0.bucket.restoreTiers.count } }

    private var bench: ArchiveStoreConformance.Bench {
        ArchiveStoreConformance.Bench(
            open: { try await open() }, now: { clock.now() }, passThaw: { advance(Self.delay + 1) },
            passPeriod: { advance(3 * 86_400) })
    }

    @Test("a bucket keeps the contract", arguments: ArchiveStoreConformance.checks)
    func contract(check: ArchiveStoreConformance.Check) async throws {
        try await check.run(bench)
    }

    @Test("packs lie under the storage class, notes do not, and each is whole when it is there")
    func classes() async throws {
        let archive = try await open()
        let records = (0..<5).map { [UInt8](repeating: UInt8($0), count: 400_000) }
        let places = try await archive.append(records)
        #expect(Set(places.map(\.pack)).count == 3, "two of these records fit into a pack")
        try await archive.thaw(Set(places.map(\.pack)))
        try await archive.check()
        let objects = server.state.withLock { $0.bucket.objects }
        for (key, object) in objects {
            #expect((object.storageClass == "GLACIER") == key.hasPrefix("archive/packs/"), "\(key)")
        }
        #expect(objects.keys.contains("archive/notes/thaws"))
        #expect(Set(try await archive.packs().map(\.pack)) == Set(places.map(\.pack)))
        try await archive.close()
    }

    @Test("a pack is asked for once, with the tier that was chosen, and again before it is frozen again")
    func restoring() async throws {
        let archive = try await open(tier: .bulk)
        let place = try await archive.append([[1, 2, 3]])[0]
        for _ in 0..<3 { try await archive.thaw([place.pack]) }
        #expect(restores == 1)
        #expect(server.state.withLock { $0.bucket.restoreTiers } == ["Bulk"])
        advance(Self.delay + 1)
        try await archive.thaw([place.pack])
        #expect(restores == 1, "it stays for three days yet")
        advance(2 * 86_400)
        let later = clock.now().advanced(by: .seconds(86_400 + 3600))
        guard case .thawed(let until)? = try await archive.thaw([place.pack])[place.pack] else {
            Issue.record("it is not thawed")
            return
        }
        #expect(restores == 2 && until > later)
        advance(86_400 + 3600)
        #expect(try await archive.read([place]) == [[1, 2, 3]], "asked for again it stays longer")
        try await archive.close()
    }

    @Test("what is late is expected a little later, and then again")
    func late() async throws {
        server.state.withLock { $0.bucket.restoreDelay = 20 * 3600 }
        let archive = try await open()
        let pack = try await archive.append([[1]])[0].pack
        #expect(try await archive.thaw([pack])[pack] == .thawing(ready: clock.now().advanced(by: .seconds(5 * 3600))))
        for _ in 0..<2 {
            advance(6 * 3600)
            #expect(
                try await archive.state(of: [pack])[pack] == .thawing(ready: clock.now().advanced(by: .seconds(300))))
        }
        advance(9 * 3600)
        #expect(try await archive.state(of: [pack])[pack]?.isThawed == true)
        try await archive.close()
    }

    @Test(
        "without the note of when packs may be expected nothing is lost, and a process sees what another has asked for")
    func withoutNote() async throws {
        let (one, other) = (try await open(), try await open())
        let place = try await one.append([[7]])[0]
        let asked = try await one.thaw([place.pack])
        #expect(try await other.state(of: [place.pack]) == asked)
        server.change("archive/notes/thaws") { $0[7] ^= 1 }
        let third = try await open()
        guard case .thawing? = try await third.thaw([place.pack])[place.pack] else {
            Issue.record("it is not on its way")
            return
        }
        #expect(restores == 1)
        server.fail(.init(fault: .answer(500, "InternalError"), method: "PUT", keyPrefix: "archive/notes/"))
        let next = try await third.append([[8]])[0]
        guard case .thawing? = try await third.thaw([next.pack])[next.pack] else {
            Issue.record("a note that can't be written keeps a pack from being asked for")
            return
        }
        advance(Self.delay + 1)
        #expect(try await third.read([next, place]) == [[8], [7]])
        for archive in [one, other, third] { try await archive.close() }
    }

    @Test("what lies under a class that can be read at once is never asked for", arguments: [nil, "STANDARD_IA"])
    func readable(storageClass: String?) async throws {
        let archive = try await open(storageClass)
        let place = try await archive.append([[1, 2]])[0]
        #expect(try await archive.state(of: [place.pack])[place.pack]?.isThawed == true)
        #expect(try await archive.thaw([place.pack])[place.pack]?.isThawed == true)
        #expect(try await archive.read([place]) == [[1, 2]])
        #expect(restores == 0)
        try await archive.close()
    }

    @Test("a bucket that is away makes calls fail, and is not taken for one that has lost its packs")
    func away() async throws {
        let first = try await open()
        let place = try await first.append([[1]])[0]
        try await first.close()
        server.isDown = true
        let archive = try await open()
        await #expect(throws: StorageError(.unavailable, "")) { try await archive.read([place]) }
        await #expect(throws: StorageError(.unavailable, "")) { try await archive.thaw([place.pack]) }
        await #expect(throws: StorageError(.unavailable, "")) { try await archive.state(of: [place.pack]) }
        await #expect(throws: StorageError(.unavailable, "")) { try await archive.append([[1]]) }
        server.isDown = false
        await archive.region.lookAgain()
        try await archive.thaw([place.pack])
        advance(Self.delay + 1)
        #expect(try await archive.read([place]) == [[1]])
        server.change("archive/packs/\(place.pack.hex)") { $0[56] ^= 1 }
        await #expect(throws: StorageError(.corrupt, "")) { try await archive.read([place]) }
        try await archive.close()
    }

    @Test("closing waits for the appends that were accepted")
    func closing() async throws {
        let archive = try await open()
        server.fail(.init(fault: .late(milliseconds: 100), method: "PUT", keyPrefix: "archive/packs/"))
        try await withThrowingTaskGroup(of: [PackLocation].self) { group in
            group.addTask { try await archive.append([[1]]) }
            while server.count("PUT archive") == 0 { await Task.yield() }
            try await archive.close()
            let places = try #require(try await group.next())
            #expect(places.count == 1)
        }
        #expect(server.objects("archive/packs/").count == 1)
    }

    @Test("what can't be is refused")
    func refused() async throws {
        for configuration in [
            S3ArchiveConfiguration(packSize: 0), S3ArchiveConfiguration(days: 0), S3ArchiveConfiguration(days: 366),
            S3ArchiveConfiguration(delay: .seconds(-1)),
        ] {
            await #expect(throws: S3ConfigurationError.self) {
                _ = try await S3Archive.open(
                    region: region(), configuration: configuration, clock: clock,
                    generator: SystemRandomNumberGenerator())
            }
        }
        #expect(S3ArchiveConfiguration(tier: .expedited).delay < S3ArchiveConfiguration(tier: .bulk).delay)
    }

    @Test("moments are read as headers write them")
    func dates() {
        #expect(SigningTime.seconds(ofDate: "Fri, 02 Jan 2026 03:04:05 GMT") == 1_767_323_045)
        #expect(SigningTime.seconds(ofDate: "Thu, 01 Jan 1970 00:00:00 GMT") == 0)
        for text in ["", "Fri, 02 Jan 2026 03:04:05", "Fri 02 Jan 2026 03:04:05 GMT", "Fri, 02 Jen 2026 03:04:05 GMT"] {
            #expect(SigningTime.seconds(ofDate: text) == nil)
        }
    }
}
