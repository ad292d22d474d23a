import Metadata
import Model

/// Finds what a path meant in the past.
struct PastNode {
    let connection: any MetadataConnection
    let namespace: NamespaceID

    /// What was at a path at a revision; failing that, what is or was there at another time, as it was at the revision.
    /// Nil when none of these was there at all.
    func version(at path: RemotePath, _ revision: Revision) throws -> NodeVersion? {
        let versions = VersionQueries(connection)
        if let record = try NodeQueries(connection).resolve(path, in: namespace, at: revision) {
            return try versions.version(of: record.node, in: namespace, at: revision)
        }
        for holder in try versions.holders(of: path, in: namespace) {
            if let version = try versions.version(of: holder.node, in: namespace, at: revision) { return version }
        }
        return nil
    }

    /// Everything that is in a folder at a revision, or at the head for nil, folders before what is in them; not the
    /// folder itself.
    /// - Throws: ``FilesError`` `tooLarge` when that is more than `limit`.
    func descendants(of folder: NodeID, at revision: Revision?, limit: Int) throws -> [NodeRecord] {
        var found: [NodeRecord] = []
        var open = [folder]
        var position = 0
        while position < open.count {
            var after: NodeName?
            repeat {
                let page = try NodeQueries(connection).children(
                    of: open[position], in: namespace, after: after, limit: 1000, at: revision)
                found += page
                open += page.filter(\.state.payload.isFolder).map(\.node)
                after = page.count < 1000 ? nil : page.last?.state.name
                if found.count > limit {
                    throw FilesError(.tooLarge, "the folder holds more than \(limit) entries: take its parts")
                }
            } while after != nil
            position += 1
        }
        return found
    }
}

/// Whether nodes lie below others, now or at a revision. What was found is remembered.
struct ScopeSearch {
    let connection: any MetadataConnection
    let namespace: NamespaceID
    /// The nodes whose trees count, they themselves included; nil for everything.
    let roots: Set<NodeID>?
    private var known: [Revision?: [NodeID: Bool]] = [:]

    init(_ connection: any MetadataConnection, _ namespace: NamespaceID, below roots: Set<NodeID>?) {
        self.connection = connection
        self.namespace = namespace
        self.roots = roots
    }

    /// Whether a node is one of the roots or below one, at a revision, or at the head for nil.
    mutating func contains(_ node: NodeID, at revision: Revision?) throws -> Bool {
        guard let roots else { return true }
        var walked: [NodeID] = []
        var node = node
        var answer = false
        while true {
            if let found = known[revision]?[node] {
                answer = found
                break
            }
            if roots.contains(node) {
                answer = true
                break
            }
            guard node != .root, let record = try NodeQueries(connection).node(node, in: namespace, at: revision)
            else { break }
            walked.append(node)
            node = record.state.parent
        }
        for node in walked { known[revision, default: [:]][node] = answer }
        return answer
    }
}
