import Model
import SyncPlanning
import TestSupport

/// Three trees written down by hand, and the plan that they give.
///
/// Nodes are named by small numbers; 0 is the root. The first id drawn for a copy is ``Scenario/copy``.
struct Scenario {
    static let copy: NodeID = {
        var generator = SeededGenerator(seed: 1)
        return NodeID(using: &generator)
    }()

    var synced: [NodeRecord] = []
    var remote: [NodeID: RemoteNode] = [:]
    var local: [NodeID: LocalNode] = [:]

    /// Both agreed on it at revision 1.
    func synced(_ node: NodeID, _ state: NodeState) -> Scenario {
        var next = self
        next.synced.append(NodeRecord(node: node, revision: Revision(1), state: state))
        return next
    }

    /// The server has it so since revision 2; nil: it was removed by that.
    func remote(_ node: NodeID, _ state: NodeState?) -> Scenario {
        var next = self
        next.remote[node] = RemoteNode(revision: Revision(2), state: state)
        return next
    }

    /// The disk has it so; nil: it is gone.
    func local(_ node: NodeID, _ state: NodeState?) -> Scenario {
        var next = self
        next.local[node] = state.map { .present($0) } ?? .removed
        return next
    }

    /// An interrupted plan parked it.
    func parked(_ node: NodeID, _ state: NodeState) -> Scenario {
        var next = self
        next.local[node] = .parked(state)
        return next
    }

    /// The plan of a device that is called `laptop`.
    func plan() throws -> Plan {
        var generator = SeededGenerator(seed: 1)
        return try SyncPlanner(device: "laptop", date: "2026-01-02").plan(
            synced: DictionaryTree(synced), remote: remote, local: local, using: &generator)
    }
}

/// A file with the bytes of a number.
func file(
    _ number: UInt64, _ name: NodeName, in parent: NodeID = 0, mode: UInt16 = 0o644, at time: Int64 = 0
) -> NodeState {
    NodeState(
        parent: parent, name: name, payload: .file(.bytes(number)), mode: mode, modified: Timestamp(nanoseconds: time))
}

/// A folder.
func folder(_ name: NodeName, in parent: NodeID = 0, mode: UInt16 = 0o755) -> NodeState {
    NodeState(parent: parent, name: name, payload: .folder, mode: mode, modified: Timestamp(nanoseconds: 0))
}

/// A symbolic link.
func link(_ target: String, _ name: NodeName, in parent: NodeID = 0, mode: UInt16 = 0o777) -> NodeState {
    NodeState(
        parent: parent, name: name, payload: .symlink(target: Array(target.utf8)), mode: mode,
        modified: Timestamp(nanoseconds: 0))
}

/// What is expected, in the words of the plan.
extension Plan {
    func doing(_ actions: LocalAction...) -> Plan {
        var next = self
        next.local += actions
        return next
    }

    /// One group for the server.
    func sending(_ changes: NodeChange...) -> Plan {
        var next = self
        next.remote.append(changes)
        return next
    }

    /// The remote state of revision 2 enters the synced tree.
    func settling(_ node: NodeID, _ state: NodeState?) -> Plan {
        var next = self
        let record = state.map { NodeRecord(node: node, revision: Revision(2), state: $0) }
        next.settled.append(Settlement(node: node, record: record))
        return next
    }

    func identifying(_ old: NodeID, as new: NodeID) -> Plan {
        var next = self
        next.identities.append(Identity(old: old, new: new))
        return next
    }

    func resolving(_ winner: NodeID, over loser: NodeID, as name: NodeName) -> Plan {
        var next = self
        next.conflicts.append(Conflict(winner: winner, loser: loser, name: name))
        return next
    }
}

extension LocalAction {
    static func make(_ node: NodeID, _ state: NodeState) -> LocalAction {
        switch state.payload {
        case .folder: LocalAction(node: node, before: nil, step: .makeFolder(state))
        case .file: LocalAction(node: node, before: nil, step: .placeFile(state))
        case .symlink: LocalAction(node: node, before: nil, step: .placeSymlink(state))
        }
    }

    static func replace(_ node: NodeID, _ before: NodeState, by state: NodeState) -> LocalAction {
        let step: Step = state.payload.content == nil ? .placeSymlink(state) : .placeFile(state)
        return LocalAction(node: node, before: .present(before), step: step)
    }

    static func move(_ node: NodeID, _ before: NodeState, to name: NodeName, in parent: NodeID = 0) -> LocalAction {
        let place = Placement(parent: parent, name: name)
        return LocalAction(node: node, before: .present(before), step: .move(to: place))
    }

    static func unpark(_ node: NodeID, _ before: NodeState, to name: NodeName, in parent: NodeID = 0) -> LocalAction {
        let place = Placement(parent: parent, name: name)
        return LocalAction(node: node, before: .parked(before), step: .move(to: place))
    }

    static func park(_ node: NodeID, _ before: NodeState) -> LocalAction {
        LocalAction(node: node, before: .present(before), step: .park)
    }

    static func attributes(_ node: NodeID, _ before: NodeState, mode: UInt16, at time: Int64) -> LocalAction {
        let step = Step.setAttributes(mode: mode, modified: Timestamp(nanoseconds: time))
        return LocalAction(node: node, before: .present(before), step: step)
    }

    static func remove(_ node: NodeID, _ before: NodeState) -> LocalAction {
        LocalAction(node: node, before: .present(before), step: .remove)
    }
}

extension NodeChange {
    /// A change for the server; `base` 0 is for a node that it does not know.
    static func to(_ state: NodeState?, _ node: NodeID, base: UInt64) -> NodeChange {
        NodeChange(node: node, base: Revision(base), state: state)
    }
}
