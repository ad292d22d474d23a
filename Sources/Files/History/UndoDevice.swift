import Metadata
public import Model

/// Takes back what one device did, and keeps what everybody else did.
public struct UndoDevice: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// What is to be taken back.
    public struct Scope: Hashable, Sendable {
        /// The device: its id in hexadecimal digits, or its name.
        public var device: String
        /// From when on; the moment counts.
        public var since: Timestamp
        /// Until when; the moment counts. Nil for the present.
        public var until: Timestamp?
        /// Below which path; the root for everything.
        public var path: RemotePath

        /// Makes a scope of its parts.
        public init(device: String, since: Timestamp, until: Timestamp? = nil, path: RemotePath = .root) {
            self.device = device
            self.since = since
            self.until = until
            self.path = path
        }
    }

    /// Brings every node that the device changed last back to what it was before the device did. A node that something
    /// else changed after is left as it is, and named.
    ///
    /// It is committed as ``RewindTree`` does.
    /// - Throws: ``FilesError``: `notFound` for a device or a path that is not there, `conflict` for a name that several
    ///   devices have, `invalidRequest` when the window ends before it begins.
    /// - Complexity: O(changes of the device in the window, and versions of what it changed since then).
    public func callAsFunction(
        _ scope: Scope, dryRun: Bool = false, in namespace: NamespaceID, by principal: Principal
    ) async throws -> HistoryOutcome {
        let until = scope.until ?? context.clock.now()
        guard scope.since <= until else {
            throw FilesError(.invalidRequest, "the window ends before it begins")
        }
        let device = try await context.database.read { connection in
            try Access.check(connection, namespace, principal)
            return try Self.device(scope.device, of: principal.account, connection)
        }
        let commit = HistoryCommit(context: context, namespace: namespace, principal: principal, path: scope.path)
        return try await commit.run(dryRun: dryRun, to: nil) { connection in
            let revisions = try CommitQueries(connection).revisions(
                by: device, from: scope.since, until: until, in: namespace)
            return try Self.plan(revisions, below: scope.path, namespace, connection)
        }
    }

    private static func device(
        _ text: String, of account: AccountID, _ connection: any MetadataConnection
    ) throws -> DeviceID {
        let devices = try DeviceQueries(connection).all(of: account)
        if let id = DeviceID(hex: text), devices.contains(where: { $0.id == id }) { return id }
        let named = devices.filter { $0.name == text }
        guard let device = named.first else { throw FilesError(.notFound, "there is no device '\(text)'") }
        if named.count > 1 {
            throw FilesError(.conflict, "\(named.count) devices are called '\(text)': name one by its id")
        }
        return device.id
    }

    private static func plan(
        _ revisions: [Revision], below path: RemotePath, _ namespace: NamespaceID,
        _ connection: any MetadataConnection
    ) throws -> HistoryPlan {
        let tree = DatabaseTree(connection: connection, namespace: namespace)
        guard let first = revisions.first else { return try Settlement.plan([], in: tree) }
        let start = first.earlier
        var scope = ScopeSearch(
            connection, namespace, below: try HistoryScope.roots(of: path, at: start, namespace, connection))
        let rule = UndoRule(revisions: Set(revisions))
        var goals: [NodeGoal] = []
        var left: [NodeID: LeftReason] = [:]
        for node in try touched(by: revisions, namespace, connection) {
            let versions = try versions(of: node, since: first, namespace, connection)
            let verdict = rule.verdict(versions)
            guard verdict != .nothing, try isMeant(node, versions, &scope, at: start) else { continue }
            switch verdict {
            case .nothing: break
            case .changedLater(let revision): left[node] = .changedLater(revision)
            case .restore(let version):
                goals.append(
                    NodeGoal(
                        node: node, state: version?.record.state, isKept: version?.isKept ?? true,
                        source: version?.position))
            }
        }
        return try Settlement.plan(goals, left: left, in: tree)
    }

    /// Whether a node is below the path now, was there before, or was there when it was made or at last.
    private static func isMeant(
        _ node: NodeID, _ versions: [NodeVersion], _ scope: inout ScopeSearch, at start: Revision
    ) throws -> Bool {
        if try scope.contains(node, at: nil) || scope.contains(node, at: start) { return true }
        guard scope.roots != nil, let last = versions.first, let ended = last.ended else { return false }
        return try scope.contains(node, at: ended.earlier)
    }

    /// The nodes that some commits changed, each once.
    private static func touched(
        by revisions: [Revision], _ namespace: NamespaceID, _ connection: any MetadataConnection
    ) throws -> [NodeID] {
        var nodes: Set<NodeID> = []
        for revision in revisions {
            for change in try CommitQueries(connection).changes(of: revision, in: namespace) {
                nodes.insert(change.node)
            }
        }
        return nodes.sorted()
    }

    /// The versions of a node down to the last that began before a revision, the newest first.
    private static func versions(
        of node: NodeID, since first: Revision, _ namespace: NamespaceID, _ connection: any MetadataConnection
    ) throws -> [NodeVersion] {
        var found: [NodeVersion] = []
        while true {
            let page = try VersionQueries(connection).versions(
                of: node, in: namespace, before: found.last?.record.revision, limit: 64)
            found += page
            guard page.count == 64, let last = page.last, last.record.revision >= first else { return found }
        }
    }
}
