import GRDB
import Model
import SyncPlanning

/// The synced tree of one link as the planner looks into it: in the state, with what one plan asked for kept at hand.
///
/// It is good for one plan, within one call of the database: what is written meanwhile it does not see.
final class StoredSyncedTree: SyncedTree {
    private let queries: SyncedQueries
    private var records: [NodeID: NodeRecord?] = [:]
    private var children: [Placement: NodeID?] = [:]

    init(_ connection: Database, link: LinkID) {
        queries = SyncedQueries(connection, link: link)
    }

    func record(of node: NodeID) throws -> NodeRecord? {
        if let known = records[node] { return known }
        let record = try queries.record(of: node)?.record
        makeRoom()
        records[node] = .some(record)
        return record
    }

    func child(of parent: NodeID, named name: NodeName) throws -> NodeID? {
        let place = Placement(parent: parent, name: name)
        if let known = children[place] { return known }
        let child = try queries.child(of: parent, named: name)
        makeRoom()
        children[place] = .some(child)
        return child
    }

    /// The bound on what is kept; a plan seldom asks twice for what it asked long ago.
    private static let capacity = 20_000

    private func makeRoom() {
        if records.count >= Self.capacity { records.removeAll(keepingCapacity: true) }
        if children.count >= Self.capacity { children.removeAll(keepingCapacity: true) }
    }
}
