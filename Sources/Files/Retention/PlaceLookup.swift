import Metadata
import Model

/// Finds where nodes are, or were at last, within one transaction.
struct PlaceLookup {
    private let queries: ThinningQueries
    private let namespace: NamespaceID
    private var places: [NodeID: (parent: NodeID, name: NodeName)] = [:]

    /// How many folders are remembered.
    private static let mostPlaces = 50_000

    init(_ connection: any MetadataConnection, _ namespace: NamespaceID) {
        queries = ThinningQueries(connection)
        self.namespace = namespace
    }

    private mutating func place(of node: NodeID) throws -> (parent: NodeID, name: NodeName)? {
        if let known = places[node] { return known }
        guard let place = try queries.lastPlace(of: node, in: namespace) else { return nil }
        if places.count >= Self.mostPlaces { places = [:] }
        places[node] = place
        return place
    }

    /// A folder and those around it, the nearest first, without the root.
    ///
    /// The last places of folders that were deleted at different times need not fit together: nothing is named twice.
    mutating func ancestors(from folder: NodeID) throws -> [NodeID] {
        var found: [NodeID] = []
        var seen: Set<NodeID> = [.root]
        var node = folder
        while seen.insert(node).inserted {
            found.append(node)
            guard let place = try place(of: node) else { break }
            node = place.parent
        }
        return found
    }

    /// The path of an entry of a folder.
    mutating func path(in folder: NodeID, _ name: NodeName) throws -> RemotePath {
        var names = [name]
        for ancestor in try ancestors(from: folder) {
            if let place = try place(of: ancestor) { names.append(place.name) }
        }
        return RemotePath(names.reversed())
    }
}
