import Metadata
public import Model

/// Brings back one version of a file, or a folder with all that was in it. What came later stays, beside it.
public struct RestoreVersion: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Restores what was at a path.
    ///
    /// A file that is there gets the bytes and the mode of the version; its place stays. What is gone comes back as the
    /// same node, where it was; folders around it that are gone are made again. When its name is taken it goes beside
    /// that, under a name that says so. A folder gets back all that it held then, in the versions of then; what is in it
    /// now and was not then stays. What is that way already is not touched.
    /// - Parameters:
    ///   - path: Where it is, or was.
    ///   - point: Which version: nil for what it was when it was removed.
    ///   - target: Where it goes instead; there must be nothing. What is there still stays, and a copy is made.
    ///   - dryRun: Whether nothing is changed.
    ///   - namespace: The tree.
    ///   - principal: Who asks.
    /// - Returns: What was done, or would be.
    /// - Throws: ``FilesError``: `notFound` when there was nothing, `versionNotKept` for a file whose bytes were given up,
    ///   `alreadyExists` for a target that is there, `tooLarge` for a folder with more entries than can be restored.
    public func callAsFunction(
        _ path: RemotePath, at point: PastPoint? = nil, to target: RemotePath? = nil, dryRun: Bool = false,
        in namespace: NamespaceID, by principal: Principal
    ) async throws -> HistoryOutcome {
        guard !path.names.isEmpty else { throw FilesError(.invalidPath, "to bring everything back, rewind the root") }
        let found = try await context.database.read { connection in
            try Access.check(connection, namespace, principal)
            return try RestoreSource(connection: connection, namespace: namespace).find(path, point)
        }
        let now = context.clock.now()
        let spare: [NodeID] = (0..<128).map { _ in context.randomness.identifier() }
        let draw: @Sendable () -> NodeID = { [context] in context.randomness.identifier() }
        let commit = HistoryCommit(context: context, namespace: namespace, principal: principal, path: path)
        return try await commit.run(dryRun: dryRun, to: found.revision) { connection in
            let plan = RestorePlan(
                connection: connection, namespace: namespace, path: path, source: found, now: now, spare: spare)
            return try plan.settled(to: target, draw: draw)
        }
    }
}

/// The version that a restore is about.
struct RestoreSource {
    let connection: any MetadataConnection
    let namespace: NamespaceID

    struct Found: Hashable, Sendable {
        let node: NodeID
        /// The tree that it is taken from.
        let revision: Revision
    }

    /// How many commits one removal may have been, for it to be found where it began.
    private static let longestRemoval = 1000

    func find(_ path: RemotePath, _ point: PastPoint?) throws -> Found {
        if let point {
            let revision = try point.revision(in: namespace, connection)
            let past = PastNode(connection: connection, namespace: namespace)
            guard let version = try past.version(at: path, revision) else {
                throw FilesError(.notFound, "there was nothing at \(path) at revision \(revision)")
            }
            return Found(node: version.record.node, revision: revision)
        }
        let versions = VersionQueries(connection)
        guard let holder = try versions.holders(of: path, in: namespace).first,
            let history = try versions.histories(of: [holder.node], in: namespace)[holder.node]
        else { throw FilesError(.notFound, "there was never anything at \(path)") }
        guard let removed = history.removed else {
            guard let head = try NamespaceQueries(connection).head(of: namespace) else {
                throw FilesError(.notFound, "there is no namespace \(namespace)")
            }
            return Found(node: holder.node, revision: head.revision)
        }
        let isFolder = history.latest.state.payload.isFolder
        return Found(
            node: holder.node, revision: try isFolder ? beginning(of: removed, holder.node) : removed.earlier)
    }

    /// The revision before the removal of a folder. A large one goes in several commits, children first: these are those
    /// right before, of the same device, that only removed what was in the folder.
    private func beginning(of removal: Revision, _ folder: NodeID) throws -> Revision {
        let commits = CommitQueries(connection)
        var first = removal
        let device = try commits.commit(removal, in: namespace)?.device
        for _ in 0..<Self.longestRemoval {
            let before = first.earlier
            guard before > .zero, try commits.commit(before, in: namespace)?.device == device else { break }
            let changes = try commits.changes(of: before, in: namespace)
            var scope = ScopeSearch(connection, namespace, below: [folder])
            let isPart = try changes.allSatisfy { change in
                try change.state == nil && scope.contains(change.node, at: before.earlier)
            }
            guard isPart else { break }
            first = before
        }
        return first.earlier
    }
}

extension Revision {
    /// The revision before it; 0 for 0.
    var earlier: Revision { Revision(number == 0 ? 0 : number - 1) }
}
