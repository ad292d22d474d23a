import Metadata
public import Model

/// Tells which versions a file has, also one that is gone.
public struct ListVersions: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// What a commit did to a node.
    public enum Change: String, Hashable, Sendable, CaseIterable {
        /// It was new.
        case made
        /// It came back after it was gone.
        case restored
        /// Its bytes, or what a link points to, changed.
        case edited
        /// It got another name in the same folder.
        case renamed
        /// It got into another folder.
        case moved
        /// Its permission bits changed.
        case mode
        /// Only the time of its bytes changed.
        case touched
        /// It was removed.
        case deleted
    }

    /// One thing that happened to a node.
    public struct Entry: Hashable, Sendable {
        /// The revision that did it.
        public let revision: Revision
        /// When; nil when the journal does not say.
        public let time: Timestamp?
        /// The device that did it.
        public let device: DeviceID?
        /// What people call the device.
        public let deviceName: String?
        /// What was done; at least one.
        public let changes: [Change]
        /// The state that it made; the last state for a deletion.
        public let state: NodeState
        /// Whether the bytes of that state are kept.
        public let isKept: Bool
        /// Whether that is how it is now.
        public let isPresent: Bool
        /// Where it came to be, where that changed.
        public let path: RemotePath?
        /// The name that the version was pinned under.
        public let pin: String?
    }

    /// What happened to one node, the newest first.
    public struct NodeEntries: Hashable, Sendable {
        /// The node.
        public let node: NodeID
        /// Where it is now; nil when it is gone.
        public let path: RemotePath?
        /// What happened.
        public let entries: [Entry]
        /// How many versions of this page are not shown since their bytes are not kept.
        public let hidden: Int
        /// Go on with what is before this revision; nil at the end.
        public let next: Revision?
    }

    /// The versions of what is and was at a path: who is there first, then who left it last.
    /// - Parameters:
    ///   - path: The path.
    ///   - showsAll: Whether versions whose bytes are not kept are shown as well.
    ///   - node: Only this node, from a page before; nil for all.
    ///   - before: Only what is older.
    ///   - limit: At most so many versions of each, 1 to 10,000.
    ///   - namespace: The tree.
    ///   - principal: Who asks.
    /// - Returns: What happened to each.
    /// - Throws: ``FilesError``: `notFound` when there was never anything, `invalidPath` for the root.
    public func callAsFunction(
        _ path: RemotePath, showsAll: Bool = false, node: NodeID? = nil, before: Revision? = nil, limit: Int = 1000,
        in namespace: NamespaceID, by principal: Principal
    ) async throws -> [NodeEntries] {
        try PageLimit.check(limit)
        guard !path.names.isEmpty else { throw FilesError(.invalidPath, "the root has no versions") }
        return try await context.database.read { connection in
            try Access.check(connection, namespace, principal)
            let holders = try VersionQueries(connection).holders(of: path, in: namespace)
                .filter { node == nil || $0.node == node }
            if holders.isEmpty { throw FilesError(.notFound, "there was never anything at \(path)") }
            return try holders.map { holder in
                try NodeTimeline(connection: connection, namespace: namespace, node: holder.node)
                    .entries(before: before, limit: limit, showsAll: showsAll)
            }
        }
    }
}

/// Reads what happened to a node.
private struct NodeTimeline {
    typealias Entry = ListVersions.Entry

    let connection: any MetadataConnection
    let namespace: NamespaceID
    let node: NodeID

    /// One thing that happened, before it is known who did it.
    private struct Event {
        let revision: Revision
        let changes: [ListVersions.Change]
        let version: NodeVersion
    }

    func entries(before: Revision?, limit: Int, showsAll: Bool) throws -> ListVersions.NodeEntries {
        // One more tells whether there is another page, and what the last one of this page changed.
        let versions = try VersionQueries(connection).versions(
            of: node, in: namespace, before: before, limit: limit + 1)
        let all = events(versions, limit: limit, follower: before)
        let shown = all.filter { showsAll || $0.version.isKept || $0.changes == [.deleted] }
        let commits = try CommitQueries(connection).commits(of: shown.map(\.revision), in: namespace)
        let names = try deviceNames(commits.values)
        let pins = try PinQueries(connection).pins(of: node, in: namespace)
        let pinNames = Dictionary(pins.map { ($0.revision, $0.name) }, uniquingKeysWith: { first, _ in first })
        let entries = try shown.map { event in
            let commit = commits[event.revision]
            let isDeletion = event.changes == [.deleted]
            let hasMoved = !Set(event.changes).isDisjoint(with: [.made, .restored, .renamed, .moved])
            return Entry(
                revision: event.revision, time: commit?.time, device: commit?.device,
                deviceName: commit.flatMap { names[$0.device] }, changes: event.changes,
                state: event.version.record.state, isKept: event.version.isKept,
                isPresent: !isDeletion && event.version.ended == nil,
                path: try hasMoved
                    ? VersionQueries(connection).path(of: node, in: namespace, at: event.revision) : nil,
                pin: isDeletion ? nil : pinNames[event.revision])
        }
        return ListVersions.NodeEntries(
            node: node, path: try VersionQueries(connection).path(of: node, in: namespace), entries: entries,
            hidden: all.count - shown.count,
            next: versions.count > limit ? versions[limit - 1].record.revision : nil)
    }

    /// What happened, the newest first. `follower` is the version after the first one, on a page that is not the first.
    private func events(_ versions: [NodeVersion], limit: Int, follower: Revision?) -> [Event] {
        var events: [Event] = []
        var follower = follower
        for (index, version) in versions.prefix(limit).enumerated() {
            if let ended = version.ended, ended != follower {
                events.append(Event(revision: ended, changes: [.deleted], version: version))
            }
            let older = index + 1 < versions.count ? versions[index + 1] : nil
            events.append(
                Event(revision: version.record.revision, changes: Self.changes(version, after: older), version: version)
            )
            follower = version.record.revision
        }
        return events
    }

    private static func changes(_ version: NodeVersion, after older: NodeVersion?) -> [ListVersions.Change] {
        guard let older else { return [.made] }
        if older.ended != version.record.revision { return [.restored] }
        let (state, before) = (version.record.state, older.record.state)
        var changes: [ListVersions.Change] = []
        if state.payload != before.payload { changes.append(.edited) }
        if state.parent != before.parent {
            changes.append(.moved)
        } else if state.name != before.name {
            changes.append(.renamed)
        }
        if state.mode != before.mode { changes.append(.mode) }
        return changes.isEmpty ? [.touched] : changes
    }

    private func deviceNames(_ commits: some Collection<CommitRecord>) throws -> [DeviceID: String] {
        var names: [DeviceID: String] = [:]
        for device in Set(commits.map(\.device)) {
            names[device] = try DeviceQueries(connection).byID(device)?.name
        }
        return names
    }
}
