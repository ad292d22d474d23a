import Model
import Synchronization
import WireProtocol

/// Finds the node of a folder on the server by its path, and makes what is missing of it.
struct RemoteFolder {
    let context: EngineContext
    let namespace: NamespaceID

    func findOrMake(_ path: RemotePath) async throws -> NodeID {
        if path.names.isEmpty { return .root }
        // Another device may make the same folder at the same time: then it is found in the next round.
        for _ in 0..<3 {
            let folders = try await folders()
            let changes = try missing(of: path, in: folders)
            guard let last = changes.last else { return try Self.find(path, in: folders) }
            var generator = context.random
            let request = UploadRequest(upload: UploadID(using: &generator), changes: changes)
            switch try await context.server.submit(request, to: namespace) {
            case .committed: return last.node
            case .refused: continue
            case .pending:
                throw ClientError(.protocolViolation, "the server waits for blocks of a folder")
            }
        }
        throw ClientError(.conflict, "the folder '\(path)' can't be made on the server: it changes all the time")
    }

    private typealias Entry = (node: NodeID, state: NodeState)

    /// What lies in each folder, by its name. Only the names on the way matter, but the history comes as a whole.
    private func folders() async throws -> [NodeID: [NodeName: Entry]] {
        var nodes: [NodeID: NodeState] = [:]
        var after: ChangesPosition?
        var end: Revision?
        repeat {
            let page = try await context.server.changes(in: namespace, since: .zero, upTo: end, after: after)
            for entry in page.entries { nodes[entry.node] = entry.state }
            end = page.head.revision
            after = page.next
        } while after != nil
        var folders: [NodeID: [NodeName: Entry]] = [:]
        for (node, state) in nodes { folders[state.parent, default: [:]][state.name] = (node, state) }
        return folders
    }

    private static func find(_ path: RemotePath, in folders: [NodeID: [NodeName: Entry]]) throws -> NodeID {
        try path.names.reduce(.root) { folder, name in
            guard let entry = folders[folder]?[name] else { throw ClientError(.notOnServer, "no folder '\(path)'") }
            return entry.node
        }
    }

    private func missing(of path: RemotePath, in folders: [NodeID: [NodeName: Entry]]) throws -> [NodeChange] {
        var generator = context.random
        var changes: [NodeChange] = []
        var parent = NodeID.root
        for name in path.names {
            if changes.isEmpty, let entry = folders[parent]?[name] {
                guard entry.state.payload.isFolder else {
                    throw ClientError(.usage, "'\(name)' in '\(path)' is no folder on the server")
                }
                parent = entry.node
                continue
            }
            let state = NodeState(
                parent: parent, name: name, payload: .folder, mode: 0o755, modified: context.clock.now())
            let node = NodeID(using: &generator)
            changes.append(NodeChange(node: node, base: .zero, state: state))
            parent = node
        }
        return changes
    }
}
