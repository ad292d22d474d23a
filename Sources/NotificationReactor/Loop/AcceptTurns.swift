import Synchronization

/// Which loop accepts the connections of which listener.
///
/// When a process needs more threads than it has processors, because each file table holds only so many connections, then a few
/// loops at a time accept, until they are full: a crowd that was dealt out to all of them would wake each for one or
/// two connections.
final class AcceptTurns: Sendable {
    private let holders: Mutex<[Int]>
    private let passes = Atomic(0)

    /// Deals the listeners out to the first `active` loops.
    init(listeners: Int, active: Int) {
        holders = Mutex((0..<listeners).map { $0 % active })
    }

    /// Grows when a turn is passed on.
    var version: Int { passes.load(ordering: .acquiring) }

    /// The listeners whose turn a loop has.
    func held(by loop: Int) -> [Int] {
        holders.withLock { holders in holders.indices.filter { holders[$0] == loop } }
    }

    /// Passes all turns of a loop on to another that has room: to one that has no turn yet, if there is one.
    /// - Returns: The loop that has them now; nil when none has room, and all stays as it is.
    func pass(from loop: Int, candidates: some Sequence<Int>, hasRoom: (Int) -> Bool) -> Int? {
        holders.withLock { holders in
            var heir: Int?
            for candidate in candidates where candidate != loop && hasRoom(candidate) {
                if !holders.contains(candidate) {
                    heir = candidate
                    break
                }
                heir = heir ?? candidate
            }
            guard let heir else { return nil }
            for index in holders.indices where holders[index] == loop { holders[index] = heir }
            passes.add(1, ordering: .releasing)
            return heir
        }
    }
}
