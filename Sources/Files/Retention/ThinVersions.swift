import CoreMetrics
public import Metadata
public import Model

/// Gives up the past versions that no policy wants any more: sets when in their rows; what they alone needed is then left for
/// the collection.
///
/// It works in batches, each decided in one reading and applied in one transaction in which all conditions are checked once
/// more. After each it notes how far it is: killed at any moment, it only repeats work.
public struct ThinVersions: Sendable {
    private let database: any MetadataDatabase
    private let clock: any WallClock
    private let mostFiles: Int
    private let thinned = Counter(label: "cairn_versions_thinned_total")
    private let thinnedBytes = Counter(label: "cairn_versions_thinned_bytes_total")

    /// What was done.
    public struct Report: Hashable, Sendable {
        /// The files that were looked at: those with past versions.
        public var files = 0
        /// The versions that went.
        public var versions = 0
        /// Their bytes, as files; what becomes free may be much less.
        public var bytes: UInt64 = 0
        /// Whether all namespaces were gone through to the end.
        public var isComplete = false
    }

    /// Makes the use case. After `mostFiles` files a call ends; the next one goes on from there.
    public init(database: any MetadataDatabase, clock: any WallClock, mostFiles: Int = 100_000) {
        self.database = database
        self.clock = clock
        self.mostFiles = mostFiles
    }

    /// The name under which the progress is noted.
    static let work = "thin-versions"

    /// Goes on where the call before ended, or begins again with the first namespace.
    /// - Throws: ``FilesError`` `corruptData` for a policy that can't be read, and what the database throws.
    public func callAsFunction() async throws -> Report {
        var report = Report()
        let start = clock.now()
        var place = try await database.read { connection in
            try WorkProgressQueries(connection).value(of: Self.work).flatMap(ThinningPlace.init)
        }
        while report.files < mostFiles {
            let (step, now) = (ThinningStep(place: place, mostFiles: min(200, mostFiles)), clock.now())
            guard let found = try await database.read({ try step.next($0, now: now) }) else {
                try await database.write { try WorkProgressQueries($0).set(nil, of: Self.work, at: now) }
                report.isComplete = true
                return report
            }
            try await apply(found, progress: found.place, &report)
            place = found.place
        }
        let reached = place
        try await database.write { try WorkProgressQueries($0).set(reached?.bytes, of: Self.work, at: start) }
        return report
    }

    /// Goes through all namespaces of one account, whatever the background work has reached.
    /// - Throws: as the other call does.
    public func callAsFunction(account: AccountID) async throws -> Report {
        var report = Report()
        for namespace in try await database.read({ try NamespaceQueries($0).all(visibleTo: account) }) {
            var after: NodeID?
            repeat {
                let (now, start) = (clock.now(), after)
                let found = try await database.read { connection in
                    try ThinningStep.Found(connection, namespace, of: account, after: start, now: now)
                }
                try await apply(found, progress: nil, &report)
                after = found.batch.last
            } while after != nil
        }
        report.isComplete = true
        return report
    }

    private func apply(_ found: ThinningStep.Found, progress: ThinningPlace?, _ report: inout Report) async throws {
        let now = clock.now()
        let files = found.batch.files.filter { !$0.going.isEmpty }
        report.files += found.batch.files.count
        // Where nothing goes there is nothing to write: killed, the work goes through these files again.
        if files.isEmpty { return }
        let (versions, bytes) = try await database.write { connection in
            var (versions, bytes) = (0, UInt64(0))
            for file in files {
                let gone = try file.apply(connection, in: found.namespace, at: now)
                versions += gone.versions
                bytes += gone.bytes
            }
            if let progress { try WorkProgressQueries(connection).set(progress.bytes, of: Self.work, at: now) }
            return (versions, bytes)
        }
        report.versions += versions
        report.bytes += bytes
        thinned.increment(by: versions)
        thinnedBytes.increment(by: Int(clamping: bytes))
    }
}

/// How far the background work is: all namespaces before this one are done, and in it all nodes up to and with this one.
struct ThinningPlace: Hashable, Sendable {
    let namespace: NamespaceID
    /// Nil when the namespace is to begin, or, at its end, to be passed over.
    let node: NodeID?
    var isAtEnd = false

    init(namespace: NamespaceID, node: NodeID?, isAtEnd: Bool = false) {
        self.namespace = namespace
        self.node = node
        self.isAtEnd = isAtEnd
    }

    /// Reads ``bytes``; nil for anything else, as another version may have written it: then all begins anew.
    init?(_ bytes: [UInt8]) {
        guard let namespace = NamespaceID(bytes: bytes.prefix(16)) else { return nil }
        if bytes.count == 16 {
            self.init(namespace: namespace, node: nil, isAtEnd: true)
        } else {
            guard let node = NodeID(bytes: bytes.dropFirst(16)) else { return nil }
            self.init(namespace: namespace, node: node)
        }
    }

    /// The namespace, and the node unless the namespace is done.
    var bytes: [UInt8] { namespace.bytes + (node?.bytes ?? []) }
}

/// Finds the next batch, in one reading.
struct ThinningStep: Sendable {
    let place: ThinningPlace?
    let mostFiles: Int

    /// A batch, and where the work is when it is applied.
    struct Found: Sendable {
        let namespace: NamespaceID
        let batch: RetentionWalk.Batch

        init(
            _ connection: any MetadataConnection, _ namespace: NamespaceID, of account: AccountID, after: NodeID?,
            now: Timestamp, mostFiles: Int = 200
        ) throws {
            let rules = try RetentionRules(connection, namespace, of: account)
            self.namespace = namespace
            let walk = RetentionWalk(namespace: namespace, rules: rules, now: now, mostFiles: mostFiles)
            batch = try walk.batch(connection, after: after)
        }

        var place: ThinningPlace { ThinningPlace(namespace: namespace, node: batch.last, isAtEnd: batch.last == nil) }
    }

    /// The next batch; nil when everything was gone through.
    func next(_ connection: any MetadataConnection, now: Timestamp) throws -> Found? {
        let queries = ThinningQueries(connection)
        if let place, !place.isAtEnd, let owner = try NamespaceQueries(connection).owner(of: place.namespace) {
            return try Found(connection, place.namespace, of: owner, after: place.node, now: now, mostFiles: mostFiles)
        }
        guard let next = try queries.namespaces(after: place?.namespace, limit: 1).first else { return nil }
        return try Found(connection, next.namespace, of: next.owner, after: nil, now: now, mostFiles: mostFiles)
    }
}
