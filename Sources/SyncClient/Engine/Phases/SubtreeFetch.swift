import Model
import SyncPlanning
import WireProtocol

/// The same for a link to a folder of the namespace: only what is in it, or was, concerns the link.
///
/// A node that was moved out of the folder is taken as removed, one that was moved in as new. The history names a
/// folder that was moved in, but not what lies in it: then the whole tree is walked once.
struct SubtreeFetch {
    let context: EngineContext
    let link: EngineLink
    let fetch: RemoteFetch

    func run() async throws {
        let (entries, head) = try await collect(since: link.cursor)
        guard let head else { return }
        try rejectRemovedRoot(entries)
        if link.cursor.revision > .zero, try await context.onWorker({ try bringsUnknownFolder(entries) }) {
            let origin = Head(namespace: link.namespace, revision: .zero, hash: .origin)
            let (all, end) = try await collect(since: origin)
            guard let end, end.revision >= head.revision else { return }
            // The tree alone does not name what was removed since; the entries do.
            let present = Set(all.map(\.node))
            let merged = all + entries.filter { !present.contains($0.node) }
            return try await context.onWorker { try store(merged, head: end) }
        }
        try await context.onWorker { try store(entries, head: head) }
    }

    private func collect(since cursor: Head) async throws -> (entries: [NodeAtRevision], head: Head?) {
        let gathered = Gathered()
        try await fetch.fetch(since: cursor) { gathered.add($0, $1) }
        return gathered.taken
    }

    private func rejectRemovedRoot(_ entries: [NodeAtRevision]) throws {
        guard entries.contains(where: { $0.node == link.map.root && $0.state == nil }) else { return }
        throw ClientError(
            .notOnServer,
            """
            the folder '\(link.remote)' was removed from the server. Nothing was changed here. Unlink the folder, or \
            unlink it and link it again to send its files anew
            """)
    }

    /// Whether a folder came in that may have been moved in with what is in it.
    private func bringsUnknownFolder(_ entries: [NodeAtRevision]) throws -> Bool {
        try context.database.read { connection in
            var tree = SubtreeView(entries, link: link, connection: connection)
            for entry in entries where entry.state?.payload.isFolder == true && entry.node != link.map.root {
                if try tree.isWithin(entry.node), try !tree.isKnown(entry.node) { return true }
            }
            return false
        }
    }

    private func store(_ entries: [NodeAtRevision], head: Head) throws {
        let map = link.map
        var inside: [NodeAtRevision] = []
        try context.database.read { connection in
            var tree = SubtreeView(entries, link: link, connection: connection)
            let named = Set(entries.map(\.node))
            for entry in entries where entry.node != link.map.root {
                if try tree.isWithin(entry.node) {
                    inside.append(
                        NodeAtRevision(
                            node: entry.node, revision: entry.revision, state: entry.state.map { map.inward($0) }))
                } else if try tree.isKnown(entry.node) {
                    inside.append(NodeAtRevision(node: entry.node, revision: entry.revision, state: nil))
                    inside += try tree.descendants(of: entry.node).filter { !named.contains($0.node) }
                }
            }
        }
        try fetch.store(inside, head: head)
    }
}

/// Gathers the pages of a walk.
///
/// `@unchecked`: pages come one after the other, each on a worker thread that the walk waits for.
private final class Gathered: @unchecked Sendable {
    private var entries: [NodeAtRevision] = []
    private var head: Head?

    func add(_ page: [NodeAtRevision], _ end: Head?) {
        entries += page
        head = end
    }

    var taken: (entries: [NodeAtRevision], head: Head?) { (entries, head) }
}

/// The namespace as far as a link knows it: entries of a walk over what was known before.
private struct SubtreeView {
    private let link: EngineLink
    private let entries: [NodeID: NodeState?]
    private let remote: RemoteQueries
    private let synced: SyncedQueries
    private var within: [NodeID: Bool] = [:]
    private var overlayChildren: [NodeID: [(NodeID, Revision)]]?

    init(_ entries: [NodeAtRevision], link: EngineLink, connection: StateConnection) {
        self.link = link
        self.entries = Dictionary(entries.map { ($0.node, $0.state) }, uniquingKeysWith: { _, last in last })
        remote = RemoteQueries(connection, link: link.id)
        synced = SyncedQueries(connection, link: link.id)
    }

    /// Whether a node is in the linked folder after the walk.
    mutating func isWithin(_ node: NodeID) throws -> Bool {
        var path: [NodeID] = []
        var current = node
        var answer = false
        while true {
            // In what was known before, the linked folder goes by `.root`.
            if current == link.map.root { answer = true }
            if current == link.map.root || current == .root { break }
            if let known = within[current] {
                answer = known
                break
            }
            path.append(current)
            if let entry = entries[current] {
                guard let parent = entry?.parent else { break }
                current = parent
            } else {
                guard let parent = try knownState(current)?.parent else { break }
                current = parent == .root ? link.map.root : parent
            }
        }
        for node in path { within[node] = answer }
        return answer
    }

    func isKnown(_ node: NodeID) throws -> Bool { try knownState(node) != nil }

    /// What was known below a folder, as removed: each at the revision that it has, since it was not changed itself.
    mutating func descendants(of folder: NodeID) throws -> [NodeAtRevision] {
        var found: [NodeAtRevision] = []
        var open = [folder]
        while let parent = open.popLast() {
            for (node, revision) in try children(of: parent) {
                found.append(NodeAtRevision(node: node, revision: revision, state: nil))
                open.append(node)
            }
        }
        return found
    }

    private func knownState(_ node: NodeID) throws -> NodeState? {
        if let noted = try remote.record(of: node) { return noted.state }
        return try synced.record(of: node)?.state
    }

    private mutating func children(of parent: NodeID) throws -> [(NodeID, Revision)] {
        let noted = try overlayChildren ?? childrenInOverlay()
        overlayChildren = noted
        var children: [(NodeID, Revision)] = []
        for record in try synced.children(of: parent) where try remote.record(of: record.node) == nil {
            children.append((record.node, record.record.revision))
        }
        return children + (noted[parent] ?? [])
    }

    private func childrenInOverlay() throws -> [NodeID: [(NodeID, Revision)]] {
        var children: [NodeID: [(NodeID, Revision)]] = [:]
        for (node, noted) in try remote.overlay() {
            if let parent = noted.state?.parent { children[parent, default: []].append((node, noted.revision)) }
        }
        return children
    }
}
