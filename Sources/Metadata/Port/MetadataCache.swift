/// Keeps answers that were expensive and that never change, beside the database.
///
/// **Only what is immutable.** A key names everything that the answer depends on: the account, the hash of the commit that
/// was asked about, all arguments. So an entry is never out of date, and nothing has to be taken away when something is
/// written. What may change, the head above all, is always asked of the database.
///
/// **A miss is always right.** A cache may forget anything at any time, and is bounded in size and in the lifetime of its
/// entries. Errors do not reach the caller: a cache that does not answer has nothing. It never answers with bytes that are
/// not those that were put under the key.
///
/// **Cheap.** A cache that is out of order costs its callers nothing.
public protocol MetadataCache: Sendable {
    /// Whether it ever has anything: without a cache the keys need not be made.
    var isUseful: Bool { get }

    /// What is there for some of the keys.
    func get(_ keys: [MetadataCacheKey]) async -> [MetadataCacheKey: [UInt8]]

    /// Offers entries. Two entries of one key are equal.
    func put(_ entries: [MetadataCacheKey: [UInt8]]) async
}

/// What was asked of a cache, and what became of it.
public struct MetadataCacheCounts: Hashable, Sendable {
    /// Entries that were there.
    public var hits = 0
    /// Entries that were not.
    public var misses = 0
    /// Entries that were not what was put there.
    public var damaged = 0
    /// Calls that failed.
    public var failures = 0

    /// Makes counts of nothing.
    public init() {}
}

/// What an entry of a cache is found by.
public struct MetadataCacheKey: Hashable, Sendable, CustomStringConvertible {
    /// The bytes: of the form of the entry with its version, then of all that the entry depends on.
    public let bytes: [UInt8]

    /// Makes a key of the name of a form, such as `folder1`, and of all that the entry depends on. No two lists of parts make
    /// the same key.
    public init(_ form: String, _ parts: [[UInt8]]) {
        var bytes = Array(form.utf8)
        for part in parts {
            bytes.append(UInt8(ascii: ":"))
            bytes += Array("\(part.count)".utf8)
            bytes.append(UInt8(ascii: ":"))
            bytes += part
        }
        self.bytes = bytes
    }

    /// The bytes as text, for people.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}

/// A cache that has nothing.
public struct NoMetadataCache: MetadataCache {
    /// Makes it.
    public init() {}

    /// Never.
    public var isUseful: Bool { false }

    /// Nothing.
    public func get(_ keys: [MetadataCacheKey]) async -> [MetadataCacheKey: [UInt8]] { [:] }

    /// Does nothing.
    public func put(_ entries: [MetadataCacheKey: [UInt8]]) async {}
}
