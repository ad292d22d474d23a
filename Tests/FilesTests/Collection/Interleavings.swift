/// Goes through all orders in which the steps of several actors can come, by running them again and again.
///
/// Of orders that differ only in steps that can't see each other, one is run: an actor whose next step was tried before,
/// and that everything since commutes with, sleeps (Godefroid 1996, sleep sets).
struct Interleavings {
    private struct Node {
        let steps: [Int: StepKind]
        let asleep: Set<Int>
        var tried: Set<Int> = []
        var choice: Int

        var untried: [Int] {
            steps.keys.filter { !asleep.contains($0) && !tried.contains($0) && $0 != choice }.sorted()
        }
    }

    private var path: [Node] = []
    private var depth = 0
    /// How many orders were run to their end.
    private(set) var count = 0
    /// How many were given up, because the same had been run in another order.
    private(set) var pruned = 0
    /// Whether the present one was.
    private(set) var isPruned = false

    /// What the steps of the present order were, for messages.
    var order: String {
        path.prefix(depth).map { "\($0.choice)\($0.steps[$0.choice].map(Self.letter) ?? "?")" }.joined()
    }

    /// Who goes on; nil when the order was run before but for steps that can't see each other.
    mutating func choose(_ steps: [Int: StepKind]) -> Int? {
        defer { depth += 1 }
        if depth < path.count {
            precondition(path[depth].steps == steps, "the same order gives the same steps: \(order), \(steps)")
            return path[depth].choice
        }
        let asleep = sleepers(among: steps)
        guard let first = steps.keys.filter({ !asleep.contains($0) }).min() else {
            isPruned = true
            depth -= 1
            return nil
        }
        path.append(Node(steps: steps, asleep: asleep, choice: first))
        return first
    }

    private func sleepers(among steps: [Int: StepKind]) -> Set<Int> {
        guard let last = path.last, let kind = last.steps[last.choice] else { return [] }
        return last.asleep.union(last.tried).filter { actor in
            actor != last.choice && steps[actor] != nil && last.steps[actor]?.commutes(with: kind) == true
        }
    }

    /// Goes on to the next order; false when there is none.
    mutating func advance() -> Bool {
        if isPruned { pruned += 1 } else { count += 1 }
        isPruned = false
        depth = 0
        while var node = path.popLast() {
            if let next = node.untried.first {
                node.tried.insert(node.choice)
                node.choice = next
                path.append(node)
                return true
            }
        }
        return false
    }

    private static func letter(_ kind: StepKind) -> String {
        switch kind {
        case .read: "r"
        case .write: "w"
        case .storeRead: "s"
        case .storeWrite: "a"
        }
    }
}
