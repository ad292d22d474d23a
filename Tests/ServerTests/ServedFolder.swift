import Blocks
import Files
import Foundation
import Logging
import Messaging
import Metadata
import MetadataSQLite
import Model
import Storage
import StorageLocal
import StorageS3
import TestSupport

@testable import cairn_server

/// A data directory with a server's layers on it, without the server.
final class ServedFolder {
    let folder: DataFolder
    let regions: [String]
    let clock = ManualClock()
    private let database: SQLiteMetadataDatabase
    private let store: any MaintainedBlockStore
    private let context: FilesContext
    private(set) var account: AccountRecord

    var home: NamespaceID { account.home }

    private var principal: Principal {
        Principal(account: account.id, device: DeviceID(high: 1, low: 1), home: account.home)
    }

    /// Opens a data directory, a new one with an account `ada`. The packs are in it and in regions, or in buckets.
    init(
        _ path: String, regions: [String] = [], buckets: [S3RegionConfiguration] = [], seed: UInt64 = 1
    ) async throws {
        folder = try DataFolder(path, create: true)
        self.regions = regions
        database = try SQLiteMetadataDatabase(path: folder.database)
        let (keyRing, _) = try await KeyRingFile.open(folder.keyRing, database: database)
        let log = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        if buckets.isEmpty {
            let directories = [folder.packs] + regions
            let identities = try await RegionSet(database: database, clock: clock).resolve(directories)
            store = try await LocalBlockStore.open(directories: directories, identities: identities)
        } else {
            store = try await S3BlockStore.open(
                regions: try await BucketSet(database: database, clock: clock, log: log).resolve(buckets))
        }
        var limits = FilesLimits()
        limits.password = ScryptPassword(logCost: 4)
        context = FilesContext(
            database: database, store: store, keyRing: keyRing, bus: InProcessChangeBus(), clock: clock,
            randomness: Randomness(SeededGenerator(seed: seed)), workers: WorkerPool(workers: 1), limits: limits,
            log: log)
        if let known = try await database.read({ try AccountQueries($0).byName("ada") }) {
            account = known
        } else {
            let create = CreateAccount(
                database: database, keyRing: keyRing, clock: clock, randomness: context.randomness,
                costs: limits.password)
            account = try await create(name: "ada", password: "correct horse")
        }
    }

    /// Writes a file; answers the revision that it made.
    @discardableResult
    func put(_ path: String, _ bytes: [UInt8]) async throws -> Revision {
        clock.advance(by: .seconds(60))
        var options = WriteOptions()
        options.createParents = true
        options.modified = Timestamp(nanoseconds: 1_600_000_000_123_456_789)
        let written = try await WriteFile(
            context, completion: CompleteUpload(context),
            chunker: Chunker(ChunkerParameters(minimum: 64, normal: 128, maximum: 512)))(
                RemotePath(path), body: OneBody(bytes: bytes), options: options, in: home, by: principal)
        return written.head.revision
    }

    /// Runs a statement behind everyone's back.
    func spoil(_ sql: String, _ values: [SQLValue] = []) async throws {
        try await database.write { try $0.execute(sql, values) }
    }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any MetadataConnection) throws -> Value
    ) async throws -> Value {
        try await database.read(body)
    }

    func close() async throws {
        try await store.close()
        try await database.close()
    }

    /// The files of packs in a region's directory, by their names.
    static func packs(_ region: String) throws -> [String] {
        let base = region + "/packs"
        return try FileManager.default.subpathsOfDirectory(atPath: base).filter { $0.contains(".") }
            .map { "\(base)/\($0)" }.sorted()
    }

    /// Turns over a bit of a file.
    static func flip(_ path: String, at place: Int) throws {
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[place] ^= 4
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
}

/// A body of one piece.
struct OneBody: AsyncSequence {
    typealias Element = [UInt8]
    typealias Failure = any Error

    let bytes: [UInt8]

    func makeAsyncIterator() -> Iterator { Iterator(rest: bytes) }

    struct Iterator: AsyncIteratorProtocol {
        var rest: [UInt8]?

        mutating func next() async throws -> [UInt8]? { rest.take() }
    }
}
