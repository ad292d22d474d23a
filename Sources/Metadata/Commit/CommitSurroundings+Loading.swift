import Model

extension CommitSurroundings {
    /// Reads what ``CommitValidation`` has to know of a change-set.
    init(of changes: [NodeChange], in namespace: NamespaceID, _ connection: any MetadataConnection) throws {
        self.init()
        let nodes = Set(changes.map(\.node)).union(changes.compactMap { $0.state?.parent })
        let reader = SurroundingsReader(connection, namespace)
        try reader.addHistories(Array(nodes), to: &self)
        try reader.addAncestors(above: movedFolders(changes), after: changes, to: &self)
        try reader.addOccupants(placesToCheck(changes), to: &self)
        let leaving = CommitValidation.leavingCounts(changes, in: self)
        for change in changes where change.state == nil && current(change.node)?.state.payload.isFolder == true {
            let enough = leaving[change.node, default: 0] + 1
            entryCounts[change.node] = try reader.entryCount(of: change.node, upTo: enough)
        }
    }

    /// The folders that go to another folder: a ring that is not all made by the change-set itself holds one of them.
    private func movedFolders(_ changes: [NodeChange]) -> [NodeID] {
        changes.compactMap { change in
            guard let state = change.state, state.payload.isFolder, let before = current(change.node)?.state,
                before.parent != state.parent
            else { return nil }
            return state.parent
        }
    }

    /// The places where somebody else could be: not those that the nodes have already, and not those in new folders.
    private func placesToCheck(_ changes: [NodeChange]) -> [NodePlace] {
        changes.compactMap { change in
            guard let place = change.state?.place, current(change.node)?.state.place != place else { return nil }
            return place.parent == .root || current(place.parent) != nil ? place : nil
        }
    }
}

/// Reads the rows around a change-set, many with each statement.
private struct SurroundingsReader {
    private let connection: any MetadataConnection
    private let namespace: NamespaceID

    init(_ connection: any MetadataConnection, _ namespace: NamespaceID) {
        self.connection = connection
        self.namespace = namespace
    }

    func addHistories(_ nodes: [NodeID], to surroundings: inout CommitSurroundings) throws {
        let type = connection.dialect.bytesType
        try ChunkedList.forEach(nodes) { chunk in
            let list = ChunkedList.rows(from: 2, count: chunk.count, width: 1)
            // The newest row of each is found by two steps into the primary key, however long its history.
            let rows = try connection.query(
                """
                WITH wanted (node) AS (VALUES \(list))
                SELECT \(NodeRow.qualifiedColumns), node.valid_to FROM wanted JOIN node
                ON node.namespace = $1 AND node.node = CAST(wanted.node AS \(type)) AND node.valid_from = (
                    SELECT MAX(newest.valid_from) FROM node AS newest
                    WHERE newest.namespace = $1 AND newest.node = CAST(wanted.node AS \(type)))
                """,
                [.id(namespace)] + chunk.map(SQLValue.id))
            for row in rows {
                let removed = row.isNull(11) ? nil : try row.revision(11)
                let record = try NodeRow.record(row)
                surroundings.histories[record.node] = NodeHistory(latest: record, removed: removed)
            }
        }
    }

    /// Adds all that is above some folders after a change-set, one level of all of them at a time.
    func addAncestors(
        above folders: [NodeID], after changes: [NodeChange], to surroundings: inout CommitSurroundings
    ) throws {
        if folders.isEmpty { return }
        let changed = Dictionary(changes.map { ($0.node, $0) }, uniquingKeysWith: { first, _ in first })
        var frontier = Set(folders)
        var walked: Set<NodeID> = [.root]
        while !frontier.isEmpty {
            let unknown = frontier.filter { surroundings.histories[$0] == nil && changed[$0] == nil && $0 != .root }
            try addHistories(Array(unknown), to: &surroundings)
            walked.formUnion(frontier)
            let parents = frontier.compactMap { node in
                if let change = changed[node] { return change.state?.parent }
                return surroundings.current(node)?.state.parent
            }
            frontier = Set(parents).subtracting(walked)
        }
    }

    func addOccupants(_ places: [NodePlace], to surroundings: inout CommitSurroundings) throws {
        let type = connection.dialect.bytesType
        try ChunkedList.forEach(places) { chunk in
            let list = ChunkedList.rows(from: 2, count: chunk.count, width: 2)
            let rows = try connection.query(
                """
                WITH wanted (parent, name) AS (VALUES \(list))
                SELECT node.node, node.parent, node.name FROM wanted JOIN node
                ON node.namespace = $1 AND node.parent = CAST(wanted.parent AS \(type))
                    AND node.name = CAST(wanted.name AS \(type)) AND node.valid_to IS NULL
                """,
                [.id(namespace)] + chunk.flatMap { [.id($0.parent), .blob($0.name.bytes)] })
            for row in rows {
                surroundings.occupants[NodePlace(parent: try row.id(1), name: try row.nodeName(2))] = try row.id(0)
            }
        }
    }

    /// How many entries a folder has, counted no further than asked.
    func entryCount(of folder: NodeID, upTo limit: Int) throws -> Int {
        try connection.first(
            """
            SELECT COUNT(*) FROM (
                SELECT 1 FROM node WHERE namespace = $1 AND parent = $2 AND valid_to IS NULL LIMIT $3) AS entry
            """,
            [.id(namespace), .id(folder), .integer(Int64(limit))]
        ).map { try $0.number(0) } ?? 0
    }
}
