public import Model

extension NodeState {
    /// Whether two states are the same to every device. The time of a folder and both the mode and the time of a link
    /// mean nothing: the first changes with every entry, the others can't be set everywhere.
    public func agrees(with other: NodeState) -> Bool {
        placement == other.placement && payload == other.payload && attributesAgree(with: other)
    }

    /// Whether mode and time are the same, as far as the kind of the node has them.
    func attributesAgree(with other: NodeState) -> Bool {
        (!hasMode || mode == other.mode) && (!hasTime || modified == other.modified)
    }

    /// Whether its mode means something.
    var hasMode: Bool {
        if case .symlink = payload { false } else { true }
    }

    /// Whether its time means something.
    var hasTime: Bool { payload.content != nil }
}

extension LocalNode {
    /// Whether both are in the tree, both parked or both gone, with states that agree: what is to be verified before a
    /// step.
    public func agrees(with other: LocalNode) -> Bool {
        switch (self, other) {
        case (.present(let one), .present(let two)), (.parked(let one), .parked(let two)): one.agrees(with: two)
        case (.removed, .removed): true
        default: false
        }
    }
}
