import Files
import Glibc
import HTTPAPI
import Logging
import Messaging
import MessagingLocal
import Metadata
import Model
import Storage
import StorageLocal
import StorageS3

/// The systems that a process works on, opened as its configuration says. What of them is which is known here and nowhere else.
struct Backends {
    /// The data directory; nil when all that is kept is kept elsewhere.
    let folder: DataFolder?
    /// The descriptor that makes the data directory this process's; nil when nothing in it is.
    let lock: Int32?
    let database: any MetadataDatabase
    let keyRing: KeyRingFile
    let store: any MaintainedBlockStore
    let archive: ArchiveTier?
    let bus: any ChangeBus
    /// Tells the other processes on this machine of changes; nil when they hear of them by themselves.
    let busServer: SocketBusServer?
    /// The two sides of the offline queue; nil when the process does not use it.
    let queues: QueueReplicas?
    /// Keeps answers that never change.
    let cache: any MetadataCache
    /// Counts log-in attempts for all processes; nil where each counts by itself.
    let loginLimiter: (any RateLimiter)?
    /// Whether no other process can do any job.
    let isAlone: Bool

    /// Opens what the roles need.
    /// - Throws: ``Failure``, and the errors of the layers.
    static func open(
        _ configuration: ServerConfiguration, metrics: PrometheusRegistry, log: Logger
    ) async throws -> Backends {
        let folder = try configuration.needsData ? configuration.data.map { try DataFolder($0, create: true) } : nil
        let lock = try configuration.isFolderOwned ? folder?.takeLock() : nil
        let database = MeasuredMetadataDatabase(
            try await openDatabase(configuration.database, in: folder), metrics: metrics)
        let keyRing = try await openKeyRing(configuration, in: folder, database)
        let store: any MaintainedBlockStore =
            configuration.needsStore
            ? try await openStore(configuration.storage, in: folder, database, log) : AbsentBlockStore()
        var archive: ArchiveTier?
        if configuration.needsStore, let choice = configuration.archive {
            archive = try await ArchiveSet.open(
                choice, database: database, packSize: configuration.storage.packSize, clock: SystemWallClock())
        }
        let (bus, busServer) = try openBus(configuration.bus, in: lock == nil ? nil : folder, log)
        let queues = try configuration.needsQueue ? openQueues(configuration.queue, in: folder) : nil
        return Backends(
            folder: folder, lock: lock, database: database, keyRing: keyRing, store: store, archive: archive, bus: bus,
            busServer: busServer, queues: queues, cache: openCache(configuration.cache, log),
            loginLimiter: openLimiter(configuration.limits, log), isAlone: configuration.database == .sqlite)
    }

    /// The counts of those that have some, as `/metrics` shows them.
    var samples: [Sample] { watched.flatMap(\.samples) }

    private var watched: [any WatchedPart] {
        [bus as? any WatchedPart, cache as? any WatchedPart, loginLimiter as? any WatchedPart].compactMap { $0 }
    }

    /// The packs, where they are in buckets, which several processes may look after; nil where they are not.
    var buckets: S3BlockStore? { store as? S3BlockStore }

    /// Lets go of all that can be reached by none any more.
    func close() async throws {
        await busServer?.close()
        for part in watched { await part.close() }
        try await archive?.store.close()
        try await store.close()
        try await database.close()
        if let lock { Glibc.close(lock) }
    }

    // MARK: One system each

    private static func openDatabase(
        _ choice: DatabaseChoice, in folder: DataFolder?
    ) async throws -> any MetadataDatabase {
        let place: MetadataPlace
        switch choice {
        case .sqlite: place = MetadataPlace(folder: try needed(folder, for: "database.kind"), server: nil)
        case .postgresql(let url, let standbys, let pool):
            guard standbys.isEmpty else { throw notBuiltIn("database.standby_urls") }
            place = MetadataPlace(folder: folder, server: url, connections: pool)
        }
        return try await place.open()
    }

    private static func openStore(
        _ choice: StorageChoice, in folder: DataFolder?, _ database: any MetadataDatabase, _ log: Logger
    ) async throws -> any MaintainedBlockStore {
        switch choice.place {
        case .local(let further):
            let directories = [try needed(folder, for: "storage.kind").packs] + further
            let identities = try await RegionSet(database: database, clock: SystemWallClock()).resolve(
                directories, isMissingAllowed: choice.policy == .one)
            let store = try await LocalBlockStore.open(
                directories: directories, identities: identities,
                configuration: PackedStoreConfiguration(
                    packSize: choice.packSize, minimumCopies: choice.policy.minimumCopies))
            store.recovery.tell(log)
            return store
        case .s3(let regions):
            let buckets = try await BucketSet(database: database, clock: SystemWallClock(), log: log).resolve(
                regions.map(\.configuration))
            return try await S3BlockStore.open(
                regions: buckets,
                configuration: S3StoreConfiguration(
                    packSize: choice.packSize, minimumCopies: choice.policy.minimumCopies))
        }
    }

    private static func openBus(
        _ choice: BusChoice, in folder: DataFolder?, _ log: Logger
    ) throws -> (any ChangeBus, SocketBusServer?) {
        switch choice {
        case .local:
            let bus = InProcessChangeBus()
            let server = try folder.map { folder in
                try SocketBusServer(path: folder.bus, bus: bus, report: BusReports.server(log))
            }
            return (bus, server)
        case .redis(let endpoint): return (try RedisParts(log: log).bus(endpoint), nil)
        }
    }

    private static func openQueues(_ choice: QueueChoice, in folder: DataFolder?) throws -> QueueReplicas {
        switch choice {
        case .sql(let first, let second):
            return QueueReplicas(
                directories: try first ?? needed(folder, for: "queue.first_directory").queue,
                try second ?? needed(folder, for: "queue.second_directory").secondQueue)
        case .redis(let first, let second): return QueueReplicas(servers: first, second)
        }
    }

    private static func openCache(_ choice: CacheChoice, _ log: Logger) -> any MetadataCache {
        switch choice {
        case .none: NoMetadataCache()
        case .memory(let bytes):
            MemoryMetadataCache(capacity: bytes, lifetime: .seconds(86_400), elapsed: RedisParts.elapsed)
        case .redis(let endpoint): RedisParts(log: log).cache(endpoint)
        }
    }

    private static func openLimiter(_ choice: LimitChoice, _ log: Logger) -> (any RateLimiter)? {
        switch choice {
        case .memory: nil
        case .redis(let endpoint): RedisParts(log: log).limiter(endpoint)
        }
    }

    private static func openKeyRing(
        _ configuration: ServerConfiguration, in folder: DataFolder?, _ database: any MetadataDatabase
    ) async throws -> KeyRingFile {
        let named = configuration.keyRingFile
        let path = try named ?? needed(folder, for: "keyring_file").keyRing
        return try await KeyRingFile.open(path, isNamed: named != nil, database: database)
    }

    private static func needed(_ folder: DataFolder?, for key: String) throws -> DataFolder {
        guard let folder else { throw Failure(.configuration, "\(key): needs a data directory") }
        return folder
    }

    private static func notBuiltIn(_ choice: String) -> Failure {
        Failure(.configuration, "\(choice): is not built in yet")
    }
}

extension ServerConfiguration {
    /// Whether the process works on something in the data directory that only one may work on.
    fileprivate var isFolderOwned: Bool {
        if database == .sqlite { return true }
        if needsStore, case .local = storage.place { return true }
        if needsQueue, case .sql = queue { return true }
        return false
    }
}

extension RecoveryReport {
    /// Tells what opening the packs has found.
    fileprivate func tell(_ log: Logger) {
        for tail in tornTails {
            log.notice(
                "an unfinished write was cut off",
                metadata: ["region": "\(tail.region)", "pack": "\(tail.pack)", "bytes": "\(tail.cut)"])
        }
        for damage in damage {
            log.error("a pack is damaged", metadata: ["pack": "\(damage.pack)", "bytes": "\(damage.range)"])
        }
        for (region, error) in missingRegions {
            log.error("a region can't be reached", metadata: ["region": "\(region)", "cause": "\(error)"])
        }
    }
}
