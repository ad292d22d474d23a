import Blocks
import Model
import WireProtocol

@testable import SyncClient

/// The commits of one namespace, by the rules of the real server: every base is checked, all or nothing.
struct MemoryJournal {
    struct Entry {
        var node: NodeID
        var revision: Revision
        var state: NodeState?
    }

    private var nodes: [NodeID: Entry] = [:]
    private var history: [[Entry]] = []
    private var hashes: [CommitHash] = [.origin]
    private var outcomes: [UploadID: UploadOutcome] = [:]
    private(set) var changeCounts: [Int] = []

    func head(of namespace: NamespaceID) -> Head {
        Head(namespace: namespace, revision: Revision(UInt64(history.count)), hash: hashes[history.count])
    }

    func outcome(of upload: UploadID) -> UploadOutcome? { outcomes[upload] }

    /// The live nodes.
    var tree: [NodeID: NodeState] { nodes.compactMapValues(\.state) }

    /// Goes back to an earlier revision, as a server restored from a copy does.
    mutating func restore(to revision: Revision) {
        history.removeLast(history.count - Int(revision.number))
        hashes.removeLast(hashes.count - history.count - 1)
        nodes = [:]
        for entry in history.joined() { nodes[entry.node] = entry }
        outcomes = [:]
    }

    mutating func commit(_ request: UploadRequest) -> UploadOutcome {
        let refusals = check(request.changes)
        if !refusals.isEmpty { return .refused(refusals) }
        let revision = Revision(UInt64(history.count + 1))
        let entries = request.changes.map { Entry(node: $0.node, revision: revision, state: $0.state) }
        for entry in entries { nodes[entry.node] = entry }
        history.append(entries)
        changeCounts.append(entries.count)
        let previous = hashes[hashes.count - 1].digest.bytes
        hashes.append(CommitHash(SHA256Hasher.digest(of: previous + request.upload.bytes)))
        let outcome = UploadOutcome.committed(revision: revision, hash: hashes[history.count])
        outcomes[request.upload] = outcome
        return outcome
    }

    private func check(_ changes: [NodeChange]) -> [Refusal] {
        var after = nodes
        var refusals: [Refusal] = []
        for change in changes {
            let current = nodes[change.node]
            if change.base != current?.revision ?? .zero || (change.state == nil && current?.state == nil) {
                let record = current.flatMap { entry in
                    entry.state.map { NodeRecord(node: entry.node, revision: entry.revision, state: $0) }
                }
                refusals.append(Refusal(node: change.node, reason: .stale(current: record)))
            } else if let old = current?.state, let new = change.state,
                old.payload.isFolder != new.payload.isFolder
            {
                refusals.append(Refusal(node: change.node, reason: .kindChanged))
            }
            after[change.node] = Entry(node: change.node, revision: change.base.next, state: change.state)
        }
        return refusals.isEmpty ? checkTree(after.compactMapValues(\.state), changes) : refusals
    }

    private struct Place: Hashable {
        var parent: NodeID
        var name: NodeName
    }

    private func checkTree(_ tree: [NodeID: NodeState], _ changes: [NodeChange]) -> [Refusal] {
        var places: [Place: NodeID] = [:]
        var refusals: [Refusal] = []
        let changed = Set(changes.map(\.node))
        for (node, state) in tree.sorted(by: { $0.key < $1.key }) {
            if state.parent != .root, tree[state.parent]?.payload.isFolder != true {
                let reason: RefusalReason = changed.contains(node) ? .parentMissing : .folderNotEmpty
                refusals.append(Refusal(node: changed.contains(node) ? node : state.parent, reason: reason))
            }
            if let other = places.updateValue(node, forKey: Place(parent: state.parent, name: state.name)) {
                let loser = changed.contains(node) ? node : other
                refusals.append(Refusal(node: loser, reason: .nameTaken(by: loser == node ? other : node)))
            }
            if changed.contains(node), hasCycle(node, in: tree) {
                refusals.append(Refusal(node: node, reason: .cycle))
            }
        }
        return refusals
    }

    private func hasCycle(_ node: NodeID, in tree: [NodeID: NodeState]) -> Bool {
        var at = tree[node]?.parent
        while let parent = at, parent != .root {
            if parent == node { return true }
            at = tree[parent]?.parent
        }
        return false
    }

    func changes(
        in namespace: NamespaceID, since: Revision, upTo: Revision?, after: ChangesPosition?, limit: Int
    ) throws -> ChangesResponse {
        // As the server does: it speaks of no revision that it has not reached.
        let newest = UInt64(history.count)
        if let upTo, upTo.number > newest { throw ClientError(.rejected, "the namespace has no revision \(upTo)") }
        if since.number > newest { throw ClientError(.conflict, "revision \(since) is ahead of the namespace") }
        let end = upTo?.number ?? newest
        var latest: [NodeID: Entry] = [:]
        if since.number < end {
            for entry in history[Int(since.number)..<Int(end)].joined() { latest[entry.node] = entry }
        }
        let sorted = latest.values.sorted { ($0.revision, $0.node) < ($1.revision, $1.node) }
        let rest = sorted.filter { entry in
            after.map { ($0.revision, $0.node) < (entry.revision, entry.node) } ?? true
        }
        let page = rest.prefix(limit).map { NodeAtRevision(node: $0.node, revision: $0.revision, state: $0.state) }
        let next = rest.count > limit ? page.last.map { ChangesPosition(revision: $0.revision, node: $0.node) } : nil
        let head = Head(namespace: namespace, revision: Revision(end), hash: hashes[Int(end)])
        return ChangesResponse(head: head, entries: page, next: next)
    }
}
