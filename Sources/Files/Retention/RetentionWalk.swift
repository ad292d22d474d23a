import Metadata
public import Model
public import Retention

/// A file with what becomes of each of its kept versions.
public struct FileVerdicts: Sendable {
    /// The node.
    public let node: NodeID
    /// The folder that it is in, or was in at last.
    public let parent: NodeID
    /// Its name there.
    public let name: NodeName
    /// The policy that decided.
    public let policy: RetentionPolicy
    /// Its kept versions, oldest first.
    public let decisions: [RetentionPolicy.Decision]

    /// The versions that go.
    public var going: [FileVersion] { decisions.filter { !$0.verdict.isKept }.map(\.version) }
}

/// Goes through the files of a namespace that have past versions, in batches, and decides about each.
struct RetentionWalk: Sendable {
    let namespace: NamespaceID
    let rules: RetentionRules
    let now: Timestamp
    /// How many files a batch has at most.
    var mostFiles = 200

    /// Some files, in the order of their nodes.
    struct Batch: Sendable {
        var files: [FileVerdicts] = []
        /// The last node that was looked at; nil when there are no more behind it.
        var last: NodeID?
    }

    /// After how many states a batch ends, however few files it has.
    private static let mostStates = 20_000

    /// Decides about the files behind a node: `after` is the last one of the batch before, nil for the first batch.
    /// `adjust` may look closer at the versions of a file, and says how many bytes it is to free; with `givesDeleted`
    /// deleted files give more for that.
    func batch(
        _ connection: any MetadataConnection, after: NodeID?, givesDeleted: Bool = false,
        adjust: (inout [FileVersion], RetentionPolicy) throws -> UInt64 = { _, _ in 0 }
    ) throws -> Batch {
        var batch = Batch()
        var states = 0
        var places = PlaceLookup(connection, namespace)
        for node in try ThinningQueries(connection).files(in: namespace, after: after, limit: mostFiles) {
            let count = try decide(node, connection, &places, givesDeleted, adjust) { batch.files.append($0) }
            batch.last = node
            states += count
            if states >= Self.mostStates { break }
        }
        return batch
    }

    /// Decides about one file.
    func file(_ node: NodeID, _ connection: any MetadataConnection) throws -> FileVerdicts? {
        var places = PlaceLookup(connection, namespace)
        var found: FileVerdicts?
        _ = try decide(node, connection, &places, false, { _, _ in 0 }) { found = $0 }
        return found
    }

    private func decide(
        _ node: NodeID, _ connection: any MetadataConnection, _ places: inout PlaceLookup, _ givesDeleted: Bool,
        _ adjust: (inout [FileVersion], RetentionPolicy) throws -> UInt64, _ take: (FileVerdicts) -> Void
    ) throws -> Int {
        let states = try ThinningQueries(connection).states(of: node, in: namespace)
        guard let last = states.last else { return 0 }
        let policy = try rules.policy(in: last.parent, &places)
        var versions = FileVersion.versions(of: states.map(VersionRow.init))
        let bytes = try adjust(&versions, policy)
        let decisions = policy.decide(versions, now: now, freeing: bytes, givesDeleted: givesDeleted)
        take(
            FileVerdicts(node: node, parent: last.parent, name: last.name, policy: policy, decisions: decisions))
        return states.count
    }
}

extension VersionRow {
    init(_ state: FileState) {
        self.init(
            from: state.from, to: state.to, content: state.content, began: state.began, ended: state.ended,
            device: state.device, isPinned: state.isPinned, isThinned: state.isThinned)
    }
}

extension FileVerdicts {
    /// Gives up the bytes of what goes, as far as that is still right.
    /// - Returns: how many versions went, and their bytes.
    func apply(
        _ connection: any MetadataConnection, in namespace: NamespaceID, at time: Timestamp
    ) throws -> (versions: Int, bytes: UInt64) {
        var (versions, bytes) = (0, UInt64(0))
        for version in going {
            guard let end = version.end else { continue }
            let count = try ThinningQueries(connection).thin(
                node, in: namespace, past: version.past, from: version.revision, to: end, at: time)
            if count > 0 {
                versions += 1
                bytes += version.content.size
            }
        }
        return (versions, bytes)
    }
}
