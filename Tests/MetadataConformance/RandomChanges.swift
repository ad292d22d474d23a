import Metadata
public import Model
import TestSupport

/// Draws change-sets that a small tree may or may not accept.
public struct RandomChanges: Sendable {
    private var generator: SeededGenerator
    /// How many nodes there may be: few, so that changes meet one another.
    private let nodes: UInt64

    /// Draws from a seed.
    public init(seed: UInt64, nodes: UInt64 = 14) {
        generator = SeededGenerator(seed: seed)
        self.nodes = nodes
    }

    /// One change-set for a tree: up to `count` changes, no node twice.
    public mutating func next(for model: TreeModel, count: Int = 5) -> [NodeChange] {
        var changes: [NodeID: NodeChange] = [:]
        for _ in 0..<Int.random(in: 1...count, using: &generator) {
            let change = change(model)
            changes[change.node] = change
        }
        return changes.values.sorted { $0.node < $1.node }
    }

    /// Every tenth change may say anything; the others respect the base and the kind, so that most commits pass.
    private mutating func change(_ model: TreeModel) -> NodeChange {
        let node = Int.random(in: 0..<200, using: &generator) == 0 ? NodeID.root : anyNode()
        let isWild = Int.random(in: 0..<20, using: &generator) == 0
        let history = model.histories[node]
        let base =
            isWild
            ? Revision(UInt64.random(in: 0...model.head.number + 1, using: &generator))
            : history?.removed ?? history?.latest.revision ?? .zero
        if history?.current != nil, Int.random(in: 0..<4, using: &generator) == 0 {
            return NodeChange(node: node, base: base, state: nil)
        }
        let wasFolder = history?.latest.state.payload.isFolder
        let isFolder = isWild ? Bool.random(using: &generator) : wasFolder ?? Bool.random(using: &generator)
        return NodeChange(node: node, base: base, state: state(isFolder: isFolder, model))
    }

    private mutating func state(isFolder: Bool, _ model: TreeModel) -> NodeState {
        let folders = model.tree.values.filter { $0.state.payload.isFolder }.map(\.node).sorted() + [.root]
        let parent =
            Int.random(in: 0..<10, using: &generator) == 0
            ? anyNode() : folders[Int.random(in: 0..<folders.count, using: &generator)]
        let name = "n\(Int.random(in: 0..<6, using: &generator))"
        if isFolder { return Fixture.folder(name, in: parent) }
        let content = UInt64.random(in: 1...50, using: &generator)
        return content % 5 == 0
            ? Fixture.symlink(name, in: parent, to: "to \(content)") : Fixture.file(name, in: parent, content: content)
    }

    private mutating func anyNode() -> NodeID { Fixture.node(UInt64.random(in: 1...nodes, using: &generator)) }
}
