import Files
import HTTPAPI
import Logging
import MessagingRedis
import Storage

/// How a server is to run: what the file, the environment and the options say together, checked.
struct ServerConfiguration: Sendable {
    /// What the process does.
    var roles: Set<ServerRole>
    /// The data directory; nil when all that is kept is kept elsewhere.
    var data: String?
    /// The file with the master keys; nil for the one in the data directory.
    var keyRingFile: String?
    var listen: ListenAddress
    /// Whether other machines may reach the server without TLS.
    var isInsecure: Bool
    var tls: TLSFiles?
    /// For how long the process says that it is about to stop before it does.
    var drain: Duration
    /// For how long a process must not have been heard of before another one takes its jobs.
    var lease: Duration
    var database: DatabaseChoice
    var storage: StorageChoice
    var bus: BusChoice
    var queue: QueueChoice
    var cache: CacheChoice
    var limits: LimitChoice
    var archive: ArchiveChoice?
    /// Where polls are parked apart from the API; nil for nowhere else.
    var polls: PollAddress?
    /// Where devices are told to poll.
    var pollServers: [String]
    var collection: CollectionChoice
    /// How many bytes of packs are read in a second; nil for none.
    var scrubRate: Int?
    var logLevel: Logger.Level
    var logFormat: LogFormat

    /// Whether the process keeps packs or reads them.
    var needsStore: Bool { roles != [.notify] }
    /// Whether the process tells devices what waits for them, or feeds that.
    var needsQueue: Bool { !roles.isDisjoint(with: [.api, .maintenance]) }
    /// Whether anything that the process needs lies in the data directory.
    var needsData: Bool {
        if database == .sqlite || keyRingFile == nil { return true }
        if needsStore, case .local = storage.place { return true }
        if needsQueue, case .sql(let first, let second) = queue { return first == nil || second == nil }
        return false
    }
}

/// The certificate that a server shows, and its key.
struct TLSFiles: Equatable, Sendable {
    let certificate: String
    let key: String
}

/// Where accounts, trees and history are.
enum DatabaseChoice: Equatable, Sendable {
    /// In the data directory.
    case sqlite
    /// On a PostgreSQL server; `standbys` are asked in their order when it does not answer.
    case postgresql(url: String, standbys: [String], pool: Int)

    /// The connection string of the server; nil for the data directory.
    var url: String? {
        guard case .postgresql(let url, _, _) = self else { return nil }
        return url
    }
}

/// Where packs are.
struct StorageChoice: Equatable, Sendable {
    enum Place: Equatable, Sendable {
        /// In the data directory, and as further copies in these.
        case local(directories: [String])
        case s3([S3Region])
    }

    var place: Place
    var packSize: Int
    var policy = CopyPolicy.all

    /// Whether every process can reach all packs, so that one of them looks after the regions for all.
    var isShared: Bool { if case .s3 = place { true } else { false } }
}

/// In how many regions bytes have to be durable before they are acknowledged.
enum CopyPolicy: String, Equatable, Sendable {
    case all
    case one

    /// The number of regions; nil for all of them.
    var minimumCopies: Int? { self == .all ? nil : 1 }
}

/// A bucket that holds a copy of every pack.
struct S3Region: Equatable, Sendable {
    let name: String
    let endpoint: String
    let bucket: String
    let region: String
    let accessKey: String
    let secretKey: String
    /// The file with the certificates that the endpoint's is checked by; nil for the system's.
    let authorities: String?
    /// Whether the bucket is part of the path, not of the host.
    let isPathStyle: Bool
}

/// How the processes hear of changes.
enum BusChoice: Equatable, Sendable {
    /// Within the process, and over a socket in the data directory.
    case local
    case redis(RedisEndpoint)
}

/// Where news waits for devices that are away.
enum QueueChoice: Equatable, Sendable {
    /// In two databases, in these directories; nil for those in the data directory.
    case sql(first: String?, second: String?)
    case redis(first: RedisEndpoint, second: RedisEndpoint)
}

/// What keeps answers about trees at hand that never change.
enum CacheChoice: Equatable, Sendable {
    case none
    case memory(bytes: Int)
    case redis(RedisEndpoint)
}

/// Where log-in attempts are counted.
enum LimitChoice: Equatable, Sendable {
    /// By each process for itself.
    case memory
    /// By each process, and by all of them together.
    case redis(RedisEndpoint)
}

/// How what nothing needs any more is collected.
struct CollectionChoice: Equatable, Sendable {
    /// Zero for never.
    var interval: Duration
    var limits: CollectionLimits
    var bytesPerSecond: Int
}
