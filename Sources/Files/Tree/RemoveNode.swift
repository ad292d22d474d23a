import Metadata
public import Model
import Synchronization

/// Removes a file, or a folder with all that is in it.
public struct RemoveNode: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Removes the node at a path.
    ///
    /// A large folder goes in several commits, children first: when the server stops half-way, a part of it is left, and
    /// calling again removes that. What others put or change below it after the first of these commits is kept, and so are the
    /// folders that lead to it.
    /// - Returns: the head without the node.
    /// - Throws: ``FilesError``: `notFound`, `preconditionFailed`, `invalidPath` for the root, `conflict` when the folder was
    ///   moved or written to by others while it was removed.
    /// - Complexity: O(nodes removed), in commits of at most ``FilesLimits/removalBatch`` changes.
    public func callAsFunction(
        _ path: RemotePath, if preconditions: Preconditions = Preconditions(), in namespace: NamespaceID,
        by principal: Principal
    ) async throws -> Head {
        guard !path.names.isEmpty else { throw FilesError(.invalidPath, "the root can't be removed") }
        let commit = TreeCommit(context: context, namespace: namespace, principal: principal, path: path)
        let limit = context.limits.removalBatch
        var begun: (node: NodeID, head: Head)?
        while true {
            // The path is walked in the transaction that removes: nothing is removed anywhere but there.
            let found = Mutex<NodeID?>(nil)
            let head = try await commit.run(upload: context.randomness.identifier()) { [begun] connection in
                let record = try TreeLookup(connection: connection, namespace: namespace).node(path)
                if let begun, record?.node != begun.node {
                    // Others have removed what was left of it, or have moved it.
                    guard try NodeQueries(connection).node(begun.node, in: namespace) != nil else { return [] }
                    throw Self.moved(path)
                }
                guard let record else { throw FilesError(.notFound, "there is nothing at \(path)") }
                found.withLock { $0 = record.node }
                try preconditions.check(record.state.payload.content, path)
                let removal = Removal(
                    namespace: namespace, limit: limit, until: begun?.head.revision, connection: connection)
                let changes = try removal.batch(of: record)
                // Only what is new is left.
                guard !changes.isEmpty else {
                    throw FilesError(.conflict, "others wrote to \(path) while it was removed: what is new was kept")
                }
                return changes
            }
            guard let node = found.withLock({ $0 }) else { return head }
            if begun == nil { begun = (node, head) }
            let isGone = try await context.database.read { connection in
                try NodeQueries(connection).node(node, in: namespace) == nil
            }
            if isGone { return head }
        }
    }

    private static func moved(_ path: RemotePath) -> FilesError {
        FilesError(.conflict, "\(path) was moved by others while it was removed: what it still held was kept")
    }
}

/// What a commit removes of a folder.
private struct Removal {
    let namespace: NamespaceID
    /// The most changes.
    let limit: Int
    /// What changed after this revision stays; nil when all goes.
    let until: Revision?
    let connection: any MetadataConnection

    private struct Folder {
        let record: NodeRecord
        var after: NodeName?
        /// Whether something in it stays, and so it does itself.
        var isKept = false
    }

    /// Removals of the first nodes below a node, and last of itself, children before their folders: whatever the limit
    /// cuts off, no folder goes before what is in it.
    func batch(of node: NodeRecord) throws -> [NodeChange] {
        var changes: [NodeChange] = []
        func remove(_ record: NodeRecord) {
            changes.append(NodeChange(node: record.node, base: record.revision, state: nil))
        }
        guard node.state.payload.isFolder else {
            remove(node)
            return changes
        }
        var open = [Folder(record: node)]
        while let folder = open.last, changes.count < limit {
            let children = try NodeQueries(connection).children(
                of: folder.record.node, in: namespace, after: folder.after, limit: min(256, limit - changes.count))
            guard !children.isEmpty else {
                open.removeLast()
                if !folder.isKept {
                    remove(folder.record)
                } else if !open.isEmpty {
                    open[open.count - 1].isKept = true
                }
                continue
            }
            for child in children {
                open[open.count - 1].after = child.state.name
                if isNew(child) {
                    open[open.count - 1].isKept = true
                    continue
                }
                if child.state.payload.isFolder {
                    open.append(Folder(record: child))
                    break
                }
                remove(child)
            }
        }
        return changes
    }

    private func isNew(_ record: NodeRecord) -> Bool {
        guard let until else { return false }
        return record.revision > until
    }
}
