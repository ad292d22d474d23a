import Model
import SyncPlanning

/// Why a step was left out.
enum StepFailure: Error, Hashable {
    case notAsBefore, placeTaken, folderMissing, folderNotEmpty, intoItself
}

extension SimulatedDevice {
    /// Notes the new ids, all at once.
    mutating func adopt(_ identities: [Plan.Identity]) {
        let moved = identities.map { ($0.new, known[$0.old]) }
        let renamed = Dictionary(uniqueKeysWithValues: identities.map { ($0.old, $0.new) })
        for identity in identities { known[identity.old] = nil }
        for (node, entry) in moved {
            guard let entry else { continue }
            precondition(known[node] == nil, "an id that is on disk is given to something else")
            known[node] = entry
            nodes[entry.inode] = node
        }
        for (node, entry) in known {
            if let parent = renamed[entry.placement.parent] { known[node]?.placement.parent = parent }
        }
    }

    /// Does one step, after verifying that all is as the plan believes. It is not `noted` in the database when the
    /// device crashes right behind it.
    mutating func perform(_ action: LocalAction, noted: Bool = true) throws(StepFailure) {
        let actual = known[action.node].flatMap { state(of: $0.inode, as: action.node) }
        switch (actual, action.before) {
        case (nil, nil): break
        case (let actual?, let before?) where actual.agrees(with: before): break
        default: throw .notAsBefore
        }
        switch action.step {
        case .makeFolder(let state): try make(action.node, state, noted: noted)
        case .placeFile(let state), .placeSymlink(let state):
            if action.before == nil {
                try make(action.node, state, noted: noted)
            } else {
                replace(action.node, state, noted: noted)
            }
        case .move(let placement): try move(action.node, to: placement, noted: noted)
        case .park: try park(action.node)
        case .setAttributes(let mode, let modified):
            guard let inode = known[action.node]?.inode else { throw .notAsBefore }
            disk.change(inode) { ($0.mode, $0.modified) = (mode, modified) }
        case .remove: try remove(action.node, noted: noted)
        }
    }

    private func freePlace(_ placement: Placement) throws(StepFailure) -> SimulatedDisk.Place {
        let parent = placement.parent == .root ? SimulatedDisk.root : known[placement.parent]?.inode
        guard let parent, disk.isFolder(parent) else { throw .folderMissing }
        let place = SimulatedDisk.Place(parent: parent, name: placement.name)
        guard disk.child(place) == nil else { throw .placeTaken }
        return place
    }

    private mutating func make(_ node: NodeID, _ state: NodeState, noted: Bool) throws(StepFailure) {
        let place = try freePlace(state.placement)
        let inode = disk.make(
            .init(place: place, payload: state.payload, mode: state.mode, modified: state.modified))
        note(node, inode, state.placement, noted)
    }

    /// A file comes in by a rename over the old one: the inode is another.
    private mutating func replace(_ node: NodeID, _ state: NodeState, noted: Bool) {
        guard let old = known[node]?.inode, let place = disk.objects[old]?.place else { return }
        disk.remove(old)
        nodes[old] = nil
        let inode = disk.make(
            .init(place: place, payload: state.payload, mode: state.mode, modified: state.modified))
        note(node, inode, state.placement, noted)
    }

    private mutating func note(_ node: NodeID, _ inode: Int, _ placement: Placement, _ noted: Bool) {
        guard noted else { return }
        known[node] = Known(inode: inode, placement: placement)
        nodes[inode] = node
    }

    private mutating func move(_ node: NodeID, to placement: Placement, noted: Bool) throws(StepFailure) {
        guard let inode = known[node]?.inode else { throw .notAsBefore }
        let place = try freePlace(placement)
        guard !disk.isWithin(place.parent, inode) else { throw .intoItself }
        disk.move(inode, to: place)
        if noted { known[node]?.placement = placement }
    }

    private mutating func park(_ node: NodeID) throws(StepFailure) {
        guard let inode = known[node]?.inode else { throw .notAsBefore }
        guard let name = try? NodeName("parked-\(inode)") else { throw .notAsBefore }
        disk.move(inode, to: .init(parent: SimulatedDisk.parking, name: name))
    }

    private mutating func remove(_ node: NodeID, noted: Bool) throws(StepFailure) {
        guard let inode = known[node]?.inode else { throw .notAsBefore }
        guard disk.children(of: inode).isEmpty else { throw .folderNotEmpty }
        disk.remove(inode)
        nodes[inode] = nil
        if noted { known[node] = nil }
    }
}
