import Model

/// Blocks that may go to the archive, in the order of their age: proposed by cold versions, spared by all others.
///
/// The memory is that of the proposed blocks, however many blocks are spared.
struct ColdSelection {
    private var order: [BlockID] = []
    private var chosen: Set<BlockID> = []
    private let capacity: Int

    /// Makes an empty selection that is full with a number of blocks. The blocks of one version are never parted, so there
    /// may be more.
    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Whether no further version should propose blocks.
    var isFull: Bool { order.count >= capacity }

    /// Whether nothing was proposed.
    var isEmpty: Bool { order.isEmpty }

    /// The blocks that nobody spared, those of the oldest version first.
    var blocks: [BlockID] { order.filter(chosen.contains) }

    /// Whether a block was proposed and not spared.
    func contains(_ block: BlockID) -> Bool { chosen.contains(block) }

    /// Adds blocks of a cold version.
    mutating func propose(_ blocks: some Sequence<BlockID>) {
        for block in blocks where chosen.insert(block).inserted { order.append(block) }
    }

    /// Takes out blocks that a version which is not cold needs. To be called after all proposals.
    mutating func spare(_ blocks: some Sequence<BlockID>) {
        if chosen.isEmpty { return }
        for block in blocks { chosen.remove(block) }
    }
}
