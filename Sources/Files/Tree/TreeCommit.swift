import Blocks
import Metadata
import Model

/// A change of the tree that a path names: the tree is looked at and changed in one transaction.
struct TreeCommit: Sendable {
    let context: FilesContext
    let namespace: NamespaceID
    let principal: Principal
    let path: RemotePath
    /// Whether a content may be made current of which blocks lie in the archive: nobody has its bytes to send them again.
    /// ``WarmFiles`` asks them back.
    var takesArchived = false

    /// Works out the changes by the present tree and commits them; none means that nothing is to be done.
    ///
    /// `changes` may run twice, as the bodies of transactions do: ids are drawn before.
    /// - Returns: the head with the changes.
    /// - Throws: ``FilesError`` for changes that the tree refuses, and what `changes` throws.
    func run(
        upload: UploadID, _ changes: @escaping @Sendable (any MetadataConnection) throws -> [NodeChange]
    ) async throws -> Head {
        let now = context.clock.now()
        let result = try await context.database.write { connection -> Result in
            try Access.check(connection, namespace, principal)
            let changes = try changes(connection)
            if changes.isEmpty {
                guard let head = try NamespaceQueries(connection).head(of: namespace) else {
                    throw FilesError(.notFound, "there is no namespace \(namespace)")
                }
                return .unchanged(head)
            }
            try ensureWhole(changes, connection)
            let request = CommitRequest(
                namespace: namespace, upload: upload, device: principal.device, changes: changes)
            let outcome = try CommitQueries(connection).apply(request, at: now) { SHA256Hasher.digest(of: $0) }
            switch outcome {
            case .committed(let record): return .committed(record.head)
            // Thrown, so that the transaction leaves nothing: nobody will ask for this upload again.
            case .refused(let refusals): throw FilesError.refused(refusals, path)
            }
        }
        switch result {
        case .unchanged(let head): return head
        case .committed(let head):
            await context.tellUploaded(head, by: principal.device)
            return head
        }
    }

    /// What the contents of the changes need has to be there when they are committed, and is not condemned any more.
    /// - Throws: ``FilesError`` `unavailable` when something was collected since it was stored: it has to be sent again.
    private func ensureWhole(_ changes: [NodeChange], _ connection: any MetadataConnection) throws {
        let files = changes.filter { $0.state?.payload.content.map { $0.size > 0 } ?? false }
        if files.isEmpty { return }
        let audit = UploadAudit(connection: connection, account: principal.account, pages: [:], inline: [:])
        let findings = try audit.run(files, in: namespace)
        let missing = takesArchived ? findings.missing.filter { !findings.archived.contains($0) } : findings.missing
        guard missing.isEmpty, findings.missingPages.isEmpty else {
            throw FilesError(.unavailable, "a part of \(path) is no longer there; send it again", retryAfter: 1)
        }
        try CollectionQueries(connection).rescue(
            blocks: findings.needed, pages: findings.neededPages, account: principal.account)
    }

    private enum Result: Sendable {
        case unchanged(Head)
        case committed(Head)
    }
}

/// Walks paths in the present tree.
struct TreeLookup {
    let connection: any MetadataConnection
    let namespace: NamespaceID

    /// The node of a folder that must be there.
    func folder(_ path: RemotePath) throws -> NodeID {
        guard !path.names.isEmpty else { return .root }
        guard let record = try NodeQueries(connection).resolve(path, in: namespace) else {
            throw FilesError(.conflict, "the folder \(path) does not exist")
        }
        guard record.state.payload.isFolder else { throw FilesError(.conflict, "\(path) is not a folder") }
        return record.node
    }

    /// The node at a path; nil when there is none.
    func node(_ path: RemotePath) throws -> NodeRecord? {
        try NodeQueries(connection).resolve(path, in: namespace)
    }

    /// The folder of a path, with those changes that make what is missing of it. `spare` holds ids for new folders, at
    /// least one for each name of the path.
    func folder(
        _ path: RemotePath, making spare: [NodeID], at time: Timestamp
    ) throws -> (folder: NodeID, changes: [NodeChange]) {
        var folder = NodeID.root
        var changes: [NodeChange] = []
        for (index, name) in path.names.enumerated() {
            if changes.isEmpty, let record = try NodeQueries(connection).child(folder, name, in: namespace) {
                guard record.state.payload.isFolder else {
                    throw FilesError(.conflict, "\(RemotePath(Array(path.names[...index]))) is not a folder")
                }
                folder = record.node
                continue
            }
            let state = NodeState(parent: folder, name: name, payload: .folder, mode: 0o755, modified: time)
            changes.append(NodeChange(node: spare[index], base: .zero, state: state))
            folder = spare[index]
        }
        return (folder, changes)
    }
}
