import GRDB
import Model
import SyncPlanning

/// How the server differs from the synced tree of one link: what the history brought up to the link's cursor.
struct RemoteQueries {
    let connection: Database
    let link: LinkID

    init(_ connection: Database, link: LinkID) {
        self.connection = connection
        self.link = link
    }

    /// Notes what nodes are on the server now.
    func put(_ nodes: some Sequence<(key: NodeID, value: RemoteNode)>) throws {
        let query = try PreparedQuery(
            """
            INSERT OR REPLACE INTO remote (link, node, revision, removed, \(NodeColumns.state))
            VALUES (\(NodeColumns.marks(14)))
            """, on: connection)
        for (node, remote) in nodes {
            query.bind(1, link)
            query.bind(2, node)
            query.bind(3, remote.revision.number)
            query.bind(4, remote.state == nil)
            if let state = remote.state {
                query.bind(5, state: state)
            } else {
                for offset in 0..<NodeColumns.stateCount { query.bindNull(5 + offset) }
            }
            try query.run()
        }
    }

    /// Forgets what was noted of a node that has entered or left the synced tree, unless the server has gone on since.
    func settle(_ settlement: Plan.Settlement) throws {
        let condition = settlement.record == nil ? "removed = 1" : "revision <= ?"
        let query = try PreparedQuery(
            "DELETE FROM remote WHERE link = ? AND node = ? AND \(condition)", on: connection)
        query.bind(1, link)
        query.bind(2, settlement.node)
        if let record = settlement.record { query.bind(3, record.revision.number) }
        try query.run()
    }

    /// Forgets the removals of nodes that neither the synced tree nor the disk has: a run that was killed had noted that they
    /// were there. To be called when nothing is under way.
    func forgetRemovals() throws {
        let query = try PreparedQuery(
            """
            DELETE FROM remote WHERE link = ? AND removed = 1
                AND NOT EXISTS (SELECT 1 FROM synced WHERE synced.link = remote.link AND synced.node = remote.node)
                AND NOT EXISTS (SELECT 1 FROM local WHERE local.link = remote.link AND local.node = remote.node)
            """, on: connection)
        query.bind(1, link)
        try query.run()
    }

    func record(of node: NodeID) throws -> RemoteNode? {
        let query = try PreparedQuery("\(Self.selection) WHERE link = ? AND node = ?", on: connection)
        query.bind(1, link)
        query.bind(2, node)
        return try query.first { try Self.remote($0) }
    }

    /// How many rows there are. Counts them: O(n).
    func count() throws -> Int {
        let query = try PreparedQuery("SELECT count(*) FROM remote WHERE link = ?", on: connection)
        query.bind(1, link)
        return try query.first { Int($0.integer(0)) } ?? 0
    }

    /// The whole overlay, as the planner takes it.
    func overlay() throws -> [NodeID: RemoteNode] {
        let query = try PreparedQuery("\(Self.selection) WHERE link = ?", on: connection)
        query.bind(1, link)
        var overlay: [NodeID: RemoteNode] = [:]
        while try query.step() { overlay[try query.identifier(0)] = try Self.remote(query) }
        return overlay
    }

    private static let selection = "SELECT node, revision, removed, \(NodeColumns.state) FROM remote"

    private static func remote(_ row: PreparedQuery) throws -> RemoteNode {
        RemoteNode(revision: Revision(row.unsigned(1)), state: row.boolean(2) ? nil : try row.state(3))
    }
}
