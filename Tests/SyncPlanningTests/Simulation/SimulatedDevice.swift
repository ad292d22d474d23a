import Model
import SyncPlanning
import TestSupport

/// A device: a disk, what the client remembers in its database, and the client's steps.
struct SimulatedDevice {
    /// What the client's database says about something on disk.
    struct Known {
        var inode: Int
        var placement: Placement
    }

    let name: String
    var disk = SimulatedDisk()
    /// What was agreed on, by node and by place.
    var synced = DictionaryTree()
    /// The server as the client last saw it.
    var remote: [NodeID: RemoteNode] = [:]
    /// What the scanner knows, and by inode which node that is.
    var known: [NodeID: Known] = [:]
    var nodes: [Int: NodeID] = [:]
    var generator: SeededGenerator
    /// Whether the scanner takes a new file in the place of a vanished one for the same node.
    let followsSaves: Bool

    init(name: String, seed: UInt64) {
        self.name = name
        generator = SeededGenerator(seed: seed)
        followsSaves = Bool.random(using: &generator)
    }

    /// Looks at the whole disk: every object gets its node.
    mutating func scan() -> [NodeID: LocalNode] {
        let formerly = Dictionary(known.map { ($1.placement, $0) }, uniquingKeysWith: min)
        var found: [NodeID: LocalNode] = [:]
        for inode in disk.walk {
            guard let object = disk.objects[inode] else { continue }
            let parent = nodes[object.place.parent] ?? .root
            let placement = Placement(parent: parent, name: object.place.name)
            let node = nodes[inode] ?? identity(of: object, formerly: formerly[placement])
            nodes[inode] = node
            found[node] = state(of: inode, as: node)
            let isParked = object.place.parent == SimulatedDisk.parking
            let last = isParked ? known[node]?.placement ?? placement : placement
            known[node] = Known(inode: inode, placement: last)
        }
        known = known.filter { found[$0.key] != nil }
        nodes = nodes.filter { disk.objects[$0.key] != nil }
        return found
    }

    private mutating func identity(of object: SimulatedDisk.Object, formerly node: NodeID?) -> NodeID {
        if followsSaves, let node, let known = known[node], disk.objects[known.inode] == nil {
            let wasFolder = synced.record(of: node)?.state.payload.isFolder ?? true
            if !object.payload.isFolder, !wasFolder { return node }
        }
        return NodeID(using: &generator)
    }

    /// What is on disk at this moment.
    func state(of inode: Int, as node: NodeID) -> LocalNode? {
        guard let object = disk.objects[inode] else { return nil }
        let isParked = object.place.parent == SimulatedDisk.parking
        let here = Placement(parent: nodes[object.place.parent] ?? .root, name: object.place.name)
        let placement = isParked ? known[node]?.placement ?? here : here
        let state = NodeState(
            parent: placement.parent, name: placement.name, payload: object.payload, mode: object.mode,
            modified: object.modified)
        return isParked ? .parked(state) : .present(state)
    }

    /// How what the scanner found differs from what was agreed on.
    func localChanges(_ found: [NodeID: LocalNode]) -> [NodeID: LocalNode] {
        var changes = found.filter { node, local in
            guard case .present(let state) = local else { return true }
            return synced.record(of: node)?.state != state
        }
        for node in synced.nodes.keys where found[node] == nil { changes[node] = .removed }
        return changes
    }

    /// How the server differs from what was agreed on.
    func remoteChanges() -> [NodeID: RemoteNode] {
        remote.filter { node, remote in
            let record = synced.record(of: node)
            // Some tombstones of what was never agreed on come along, as they do with the changes of a namespace.
            guard remote.state != nil else { return record != nil || known[node] != nil || node.low % 4 == 0 }
            return record?.revision != remote.revision
        }
    }

    /// Scans and plans.
    mutating func plan() -> Plan {
        let found = scan()
        let planner = SyncPlanner(device: name, date: "2026-01-02")
        do {
            return try planner.plan(
                synced: synced, remote: remoteChanges(), local: localChanges(found), using: &generator)
        } catch {
            preconditionFailure("a tree in memory throws nothing: \(error)")
        }
    }
}

/// A synced tree in memory.
struct DictionaryTree: SyncedTree {
    private(set) var nodes: [NodeID: NodeRecord] = [:]
    private var places: [Placement: NodeID] = [:]

    init(_ records: [NodeRecord] = []) {
        for record in records { self[record.node] = record }
    }

    func record(of node: NodeID) -> NodeRecord? { nodes[node] }

    func child(of parent: NodeID, named name: NodeName) -> NodeID? { places[Placement(parent: parent, name: name)] }

    subscript(node: NodeID) -> NodeRecord? {
        get { nodes[node] }
        set {
            if let old = nodes[node]?.state.placement, places[old] == node { places[old] = nil }
            nodes[node] = newValue
            if let new = newValue?.state.placement { places[new] = node }
        }
    }
}
