import Blocks
import Foundation
import Logging
import Messaging
import Metadata
import MetadataSQLite
import Model
import Storage
import StorageConformance
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import Files

/// A server whose every step waits for its turn, with a collector that waits for nothing else: all windows are zero.
final class CollectionWorld: Sendable {
    /// What a world leaves behind when it ends, from which others can begin.
    struct Remains: Sendable {
        /// The files of the database, by how their names end.
        let database: [String: [UInt8]]
        let disk: MemoryDisk
        let keyRing: KeyRing
        let ada: Principal
        let now: Timestamp
    }

    static let workers = WorkerPool(workers: 1)
    static let packSize = 2500

    let directory = TemporaryDirectory()
    let schedule = StepSchedule()
    let disk: MemoryDisk
    let keyRing: KeyRing
    let clock: ManualClock
    let raw: any MetadataDatabase
    let store: PackedBlockStore
    let context: FilesContext
    let completion: CompleteUpload
    let ada: Principal
    let limits: CollectionLimits
    /// Numbers that no world before this one has given.
    private let uploads: Atomic<UInt64>

    init(_ remains: Remains? = nil, seed: UInt64 = 1, packSize: Int = packSize, rows: Int = 500) async throws {
        disk = remains.map { MemoryDisk(copying: $0.disk) } ?? MemoryDisk()
        keyRing = remains?.keyRing ?? .generate()
        clock = remains.map { ManualClock($0.now) } ?? ManualClock()
        uploads = Atomic(UInt64(clock.now().seconds) * 1000)
        let path = directory.appending("cairn.db")
        for (end, bytes) in remains?.database ?? [:] {
            try Data(bytes).write(to: URL(fileURLWithPath: path + end))
        }
        raw = try SQLiteMetadataDatabase(path: path)
        store = try await PackedBlockStore.open(
            regions: [MemoryPackRegion(name: "region", disk: disk)],
            configuration: PackedStoreConfiguration(packSize: packSize),
            generator: SeededGenerator(seed: seed &* 31 &+ UInt64(truncatingIfNeeded: clock.now().nanoseconds)))
        var bounds = FilesLimits()
        bounds.password = ScryptPassword(logCost: 4)
        context = FilesContext(
            database: SteppedDatabase(base: raw, schedule: schedule),
            store: SteppedStore(base: store, schedule: schedule), keyRing: FixedKeyRing(keyRing),
            bus: InProcessChangeBus(), clock: clock,
            randomness: Randomness(
                SeededGenerator(seed: seed &+ UInt64(truncatingIfNeeded: clock.now().nanoseconds))),
            workers: Self.workers, limits: bounds,
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        completion = CompleteUpload(context)
        var limits = CollectionLimits()
        limits.safetyWindow = .zero
        limits.packWindow = .zero
        limits.clockSlack = .zero
        limits.rows = rows
        self.limits = limits
        if let remains {
            ada = remains.ada
        } else {
            let create = CreateAccount(
                database: raw, keyRing: FixedKeyRing(keyRing), clock: clock, randomness: context.randomness,
                costs: bounds.password)
            _ = try await create(name: "ada", password: "correct horse")
            ada = try await LogIn(context)(
                account: "ada", password: "correct horse", device: "laptop", from: "127.0.0.1"
            ).principal
        }
        _ = try await context.keys.key(of: ada.account)
    }

    /// Ends the world without leaving anything.
    func close() async throws {
        try await store.close()
        try await raw.close()
    }

    /// Ends the world.
    func end() async throws -> Remains {
        try await store.close()
        try await raw.close()
        clock.advance(by: .seconds(1))
        var files: [String: [UInt8]] = [:]
        for end in ["", "-wal"] {
            let path = directory.appending("cairn.db" + end)
            guard FileManager.default.fileExists(atPath: path) else { continue }
            files[end] = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        }
        return Remains(database: files, disk: disk, keyRing: keyRing, ada: ada, now: clock.now())
    }

    // MARK: What devices do

    func nextUpload() -> UploadID { Ids.upload(uploads.add(1, ordering: .relaxed).newValue) }

    func announce(_ request: UploadRequest) async throws -> UploadOutcome {
        try await ReceiveUpload(context, completion: completion)(request, in: ada.home, by: ada)
    }

    func send(_ blocks: [EncodedBlock], for upload: UploadID?) async throws -> StoreBlocks.Answer {
        try await StoreBlocks(context, completion: completion)(blocks, for: upload, by: ada)
    }

    /// Brings changes to their end as a device does: announces, sends what is missing, asks again.
    /// - Returns: the revision; nil when it was refused.
    @discardableResult
    func deliver(
        _ changes: [NodeChange], _ files: [SampleFile], upload: UploadID? = nil, inline: Bool = false
    ) async throws -> UInt64? {
        let upload = upload ?? nextUpload()
        var request = UploadRequest(
            upload: upload, changes: changes, pages: inline ? files.flatMap(\.encodedPages) : [],
            blocks: inline ? files.flatMap(\.blocks) : [])
        var outcome = try await announce(request)
        for _ in 0..<12 {
            switch outcome {
            case .committed(let revision, _): return revision.number
            case .refused: return nil
            case .pending(let blocks, let pages):
                let (wanted, lacking) = (Set(pages), Set(blocks))
                request.blocks = []
                request.pages = files.flatMap(\.pages).filter { wanted.contains($0.id) }.map(\.encoded)
                let answer =
                    lacking.isEmpty
                    ? nil
                    : try await send(files.flatMap(\.blocks).filter { lacking.contains($0.id) }, for: upload).outcome
                outcome = if let answer, pages.isEmpty { answer } else { try await announce(request) }
            }
        }
        throw NeverDone()
    }

    struct NeverDone: Error {}

    func put(_ path: String, _ bytes: [UInt8], parts: Int = 1 << 20) async throws {
        let pieces = stride(from: 0, to: bytes.count, by: parts).map { Array(bytes[$0..<min(bytes.count, $0 + parts)]) }
        _ = try await WriteFile(context, completion: completion, chunker: SampleFile.chunker)(
            RemotePath(path), body: Pieces(pieces: pieces), in: ada.home, by: ada)
    }

    func read(_ path: String) async throws -> [UInt8] {
        let file = try await ReadFile(context)(RemotePath(path), in: ada.home, by: ada)
        return try await file.read(0..<file.content.size).whole()
    }

    // MARK: What happens to versions

    /// Removes a file and gives up all of its versions.
    func forget(_ node: UInt64, base: UInt64) async throws {
        try await deliver([NodeChange(node: Ids.node(node), base: Revision(base), state: nil)], [])
        try await thin()
        clock.advance(by: .seconds(1))
    }

    /// Gives up all past versions, as of now.
    func thin() async throws {
        let now = SQLValue.integer(clock.now().nanoseconds)
        _ = try await context.database.write {
            try $0.execute("UPDATE node SET thinned = $1 WHERE valid_to IS NOT NULL AND thinned IS NULL", [now])
        }
    }

    // MARK: The collector

    func collector(_ limits: CollectionLimits? = nil) -> CollectGarbage {
        CollectGarbage(context, limits: limits ?? self.limits)
    }

    @discardableResult
    func collect() async throws -> CollectionReport { try await collector()() }

    /// Only the accounts.
    @discardableResult
    func collectAccounts() async throws -> CollectionReport {
        var report = CollectionReport()
        let turn = try await collector().begin()
        try await CollectAccount(turn: turn, account: ada.account).run(&report)
        return report
    }

    /// Only the packs.
    @discardableResult
    func tidyPacks() async throws -> CollectionReport {
        var report = CollectionReport()
        try await TidyPacks(turn: try await collector().begin()).run(&report)
        return report
    }
}
