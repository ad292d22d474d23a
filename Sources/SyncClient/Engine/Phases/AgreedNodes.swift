import Model
import SyncPlanning

/// Settles what the disk and the server agree on already, by what was noted of both.
///
/// A pass that was killed after it had put the server's file in its place, and before it settled it, leaves such nodes.
/// They must be settled before newer states of the server are taken in: else what the client itself has put there
/// would be taken for an edit of its user, and be kept beside the newer state as a conflicted copy.
struct AgreedNodes {
    let database: ClientDatabase
    let link: LinkID

    func settle() throws {
        try database.write { connection in
            while true {
                let settlements = try placed(connection) + removed(connection)
                if settlements.isEmpty { return }
                try PlanPhase.settle(settlements, of: link, connection)
            }
        }
    }

    /// The nodes that are on disk as the server has them, in folders that are settled.
    private func placed(_ connection: StateConnection) throws -> [Plan.Settlement] {
        let query = try PreparedQuery(
            """
            SELECT l.node FROM remote AS r JOIN local AS l ON l.link = r.link AND l.node = r.node
            WHERE r.link = ? AND r.removed = 0 AND l.condition = 0 AND l.parent = r.parent AND l.name = r.name
            AND l.kind = r.kind
            """, on: connection)
        query.bind(1, link)
        let synced = SyncedQueries(connection, link: link)
        return try query.all { try $0.identifier(0) }.compactMap { node in
            guard let remote = try RemoteQueries(connection, link: link).record(of: node), let state = remote.state,
                let local = try LocalQueries(connection, link: link).record(of: node)?.state, state.agrees(with: local),
                try state.parent == .root || synced.record(of: state.parent) != nil
            else { return nil }
            return Plan.Settlement(node: node, record: NodeRecord(node: node, revision: remote.revision, state: state))
        }
    }

    /// The nodes that are gone from both, with nothing left in them.
    private func removed(_ connection: StateConnection) throws -> [Plan.Settlement] {
        let query = try PreparedQuery(
            """
            SELECT l.node FROM remote AS r JOIN local AS l ON l.link = r.link AND l.node = r.node
            WHERE r.link = ?1 AND r.removed = 1 AND l.condition = 2
            AND NOT EXISTS (SELECT 1 FROM synced AS s WHERE s.link = ?1 AND s.parent = r.node)
            AND NOT EXISTS (SELECT 1 FROM local AS c WHERE c.link = ?1 AND c.parent = r.node AND c.condition <> 2)
            """, on: connection)
        query.bind(1, link)
        return try query.all { Plan.Settlement(node: try $0.identifier(0), record: nil) }
    }
}
