import Metadata
import MetadataConformance
import Model
import TestSupport

@testable import Files

/// The newest tree of a model, as plans look at it.
struct ModelTree: PresentTree {
    let model: TreeModel

    func histories(of nodes: [NodeID]) -> [NodeID: NodeHistory] {
        model.histories.filter { nodes.contains($0.key) }
    }

    func occupant(of parent: NodeID, _ name: NodeName) -> NodeID? {
        model.tree.values.first { $0.state.parent == parent && $0.state.name == name }?.node
    }

    func children(of folder: NodeID) -> [NodeID] {
        model.tree.values.filter { $0.state.parent == folder }.map(\.node)
    }
}

/// A history drawn at random: a model, and which device made each revision.
struct DrawnHistory {
    var model = TreeModel()
    /// Who made each revision, from 1 on: small numbers.
    var devices: [Int] = [0]
    private var random: RandomChanges
    private var generator: SeededGenerator

    init(seed: UInt64) {
        random = RandomChanges(seed: seed)
        generator = SeededGenerator(seed: seed &+ 99)
    }

    /// Applies change-sets that the tree accepts, made by one of so many devices.
    mutating func play(_ commits: Int, devices count: Int) {
        for _ in 0..<commits {
            let changes = random.next(for: model)
            guard model.refusals(changes).isEmpty else { continue }
            apply(changes, by: Int.random(in: 0..<count, using: &generator))
        }
    }

    mutating func apply(_ changes: [NodeChange], by device: Int) {
        model.apply(changes)
        devices.append(device)
    }

    /// The revisions of a device from one on.
    func revisions(of device: Int, from first: Int) -> Set<Revision> {
        Set(devices.indices.filter { $0 >= max(1, first) && devices[$0] == device }.map { Revision(UInt64($0)) })
    }

    /// The versions of a node, the newest first.
    func versions(of node: NodeID) -> [NodeVersion] {
        var found: [NodeVersion] = []
        for (revision, tree) in model.trees.enumerated() {
            let record = tree[node]
            guard record != found.last?.record || found.last?.ended != nil else { continue }
            if let last = found.last, last.ended == nil {
                found[found.count - 1] = NodeVersion(record: last.record, ended: Revision(UInt64(revision)))
            }
            if let record { found.append(NodeVersion(record: record)) }
        }
        return found.reversed()
    }

    /// What a rewind wants of every node.
    func goals(at revision: Int, thinned: Set<NodeID> = []) -> [NodeGoal] {
        model.histories.keys.map { node in
            NodeGoal(
                node: node, state: model.trees[revision][node]?.state, isKept: !thinned.contains(node))
        }
    }

    /// What an undo of some revisions wants, and what it leaves.
    func undo(_ revisions: Set<Revision>) -> (goals: [NodeGoal], left: [NodeID: LeftReason]) {
        let rule = UndoRule(revisions: revisions)
        var goals: [NodeGoal] = []
        var left: [NodeID: LeftReason] = [:]
        for node in model.histories.keys {
            switch rule.verdict(versions(of: node)) {
            case .nothing: break
            case .changedLater(let revision): left[node] = .changedLater(revision)
            case .restore(let version): goals.append(NodeGoal(node: node, state: version?.record.state))
            }
        }
        return (goals, left)
    }
}

extension TreeModel {
    /// The states of the newest tree.
    var states: [NodeID: NodeState] { tree.mapValues(\.state) }
    /// The states of a tree.
    func states(at revision: Int) -> [NodeID: NodeState] { trees[revision].mapValues(\.state) }
}
