import Metadata
import Model

/// The head of a namespace, as plans look at it.
struct DatabaseTree: PresentTree {
    let connection: any MetadataConnection
    let namespace: NamespaceID

    func histories(of nodes: [NodeID]) throws -> [NodeID: NodeHistory] {
        try VersionQueries(connection).histories(of: nodes, in: namespace)
    }

    func occupant(of parent: NodeID, _ name: NodeName) throws -> NodeID? {
        try NodeQueries(connection).child(parent, name, in: namespace)?.node
    }

    func children(of folder: NodeID) throws -> [NodeID] {
        var found: [NodeID] = []
        var after: NodeName?
        repeat {
            let page = try NodeQueries(connection).children(of: folder, in: namespace, after: after, limit: 1000)
            found += page.map(\.node)
            after = page.count < 1000 ? nil : page.last?.state.name
        } while after != nil
        return found
    }
}
