import Blocks
import Files
import Logging
import Messaging
import Metadata
import MetadataSQLite
import Model
import Storage
import StorageConformance
import Synchronization
import TestSupport
import WireProtocol

/// The use cases on a real database and on regions in memory whose disks a test can break. It can be restarted on what is
/// durable.
final class Workshop: Sendable {
    let directory: TemporaryDirectory
    let regions: [FaultyPackRegion]
    let disks: [MemoryDisk]
    let database: any MetadataDatabase
    let store: PackedBlockStore
    let keyRing: KeyRing
    let bus = InProcessChangeBus()
    let clock: ManualClock
    let context: FilesContext
    let completion: CompleteUpload
    private let heard = Mutex<[BusMessage]>([])
    private let subscription = Mutex<BusSubscription?>(nil)

    /// Opens a workshop, new or on what another left behind.
    init(
        after earlier: Workshop? = nil, regions count: Int = 1, seed: UInt64 = 1, limits: FilesLimits = FilesLimits(),
        cache: any MetadataCache = NoMetadataCache(), loginLimiter: (any RateLimiter)? = nil,
        archive: ((ManualClock) async throws -> ArchiveTier)? = nil
    ) async throws {
        directory = earlier?.directory ?? TemporaryDirectory()
        disks = earlier?.disks ?? (0..<count).map { _ in MemoryDisk() }
        regions = disks.enumerated().map { index, disk in
            FaultyPackRegion(MemoryPackRegion(name: "region-\(index)", disk: disk), seed: seed)
        }
        keyRing = earlier?.keyRing ?? .generate()
        clock = earlier?.clock ?? ManualClock()
        database = try SQLiteMetadataDatabase(path: directory.appending("cairn.db"))
        store = try await PackedBlockStore.open(regions: regions)
        var limits = limits
        limits.password = ScryptPassword(logCost: 4)
        context = FilesContext(
            database: database, store: store, keyRing: FixedKeyRing(keyRing), bus: bus, clock: clock,
            randomness: Randomness(SeededGenerator(seed: earlier == nil ? seed : seed &+ 77)),
            workers: WorkerPool(workers: 2), limits: limits, cache: cache, loginLimiter: loginLimiter,
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), archive: try await archive?(clock))
        completion = CompleteUpload(context)
        let subscribed = bus.subscribe { [weak self] event in self?.heard.withLock { $0.append(event.message) } }
        subscription.withLock { $0 = subscribed }
    }

    /// The use cases over another way to the database.
    func context(over database: any MetadataDatabase) -> FilesContext {
        FilesContext(
            database: database, store: store, keyRing: FixedKeyRing(keyRing), bus: bus, clock: clock,
            randomness: Randomness(SeededGenerator(seed: 7)), workers: WorkerPool(workers: 1), limits: context.limits,
            log: context.log)
    }

    /// What was told over the bus since it was last asked, as short words.
    func takeNotices() -> [String] {
        heard.withLock { heard in
            defer { heard = [] }
            return heard.map { message in
                switch message {
                case .changed(let notice): "\(notice.kind) \(notice.revision)"
                case .revoked: "revoked"
                case .resumed: "resumed"
                }
            }
        }
    }

    /// Makes an account and logs a device in.
    func account(_ name: String = "ada", device: String = "laptop") async throws -> Principal {
        let create = CreateAccount(
            database: database, keyRing: FixedKeyRing(keyRing), clock: clock, randomness: context.randomness,
            costs: context.limits.password)
        _ = try await create(name: name, password: "correct horse")
        return try await logIn(name, device: device).principal
    }

    /// Logs another device in.
    func logIn(_ name: String = "ada", device: String = "phone") async throws -> LogIn.Session {
        // No two devices log in at the same moment, so that lists have an order.
        clock.advance(by: .milliseconds(1))
        return try await LogIn(context)(account: name, password: "correct horse", device: device, from: "127.0.0.1")
    }

    func upload(_ request: UploadRequest, by principal: Principal) async throws -> UploadOutcome {
        try await ReceiveUpload(context, completion: completion)(request, in: principal.home, by: principal)
    }

    func send(_ blocks: [EncodedBlock], for upload: UploadID? = nil, by principal: Principal) async throws
        -> StoreBlocks.Answer
    {
        try await StoreBlocks(context, completion: completion)(blocks, for: upload, by: principal)
    }

    func read(_ path: String, _ range: Range<UInt64>? = nil, by principal: Principal) async throws -> [UInt8] {
        let file = try await ReadFile(context)(RemotePath(path), in: principal.home, by: principal)
        return try await file.read(range ?? 0..<file.content.size).whole()
    }

    @discardableResult
    func write(
        _ path: String, _ bytes: [UInt8], options: WriteOptions = WriteOptions(), parts: Int = 1 << 20,
        by principal: Principal
    ) async throws -> WrittenFile {
        let pieces = stride(from: 0, to: bytes.count, by: parts).map { Array(bytes[$0..<min(bytes.count, $0 + parts)]) }
        return try await WriteFile(context, completion: completion)(
            RemotePath(path), body: Pieces(pieces: pieces), options: options, in: principal.home, by: principal)
    }

    func head(of principal: Principal) async throws -> Head {
        try await database.read { try NamespaceQueries($0).head(of: principal.home)! }
    }
}

extension FileBytes {
    /// All bytes of the range.
    func whole() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        var window = first
        while let current = window {
            bytes += current.pieces.joined()
            window = try await self.window(after: current)
        }
        return bytes
    }
}

/// A body that comes in pieces, and may break off.
struct Pieces: AsyncSequence {
    struct BrokenOff: Error {}

    typealias Element = [UInt8]
    typealias Failure = any Error

    var pieces: [[UInt8]]
    var breaksOff = false

    func makeAsyncIterator() -> Iterator { Iterator(rest: pieces[...], breaksOff: breaksOff) }

    struct Iterator: AsyncIteratorProtocol {
        var rest: ArraySlice<[UInt8]>
        let breaksOff: Bool

        mutating func next() async throws -> [UInt8]? {
            if rest.isEmpty, breaksOff { throw BrokenOff() }
            return rest.popFirst()
        }
    }
}
