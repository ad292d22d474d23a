import Metadata
import Storage
import Synchronization
import Testing

@testable import Files

/// Runs actors in every order of their steps, each time in a world of its own, and looks afterwards at what has to hold.
struct Exploration {
    typealias Actor = @Sendable (CollectionWorld) async throws -> Void

    let remains: CollectionWorld.Remains
    var packSize = CollectionWorld.packSize
    /// How many rows the collector reads at once.
    var rows = 500
    /// The actors that may fail: a reader of what is removed, a writer who is to try again.
    var mayFail: Set<Int> = []
    /// Kills this actor before one of its steps.
    var kill: (actor: Int, step: Int)?

    /// All orders.
    /// - Returns: how many there were.
    @discardableResult
    func run(_ actors: [Actor], sourceLocation: SourceLocation = #_sourceLocation) async throws -> Int {
        var orders = Interleavings()
        var wrong = 0
        repeat {
            let world = try await CollectionWorld(remains, packSize: packSize, rows: rows)
            var faults = await play(actors, in: world) { orders.choose($0) }
            if !orders.isPruned {
                // What nothing needs goes in a later run just as well: that is looked at in some orders only.
                faults += try await look(at: world, isAtRest: orders.count % 4 == 0)
                wrong += report(faults, "order \(orders.order)", sourceLocation)
            }
            try await world.close()
        } while wrong < 3 && orders.advance()
        #expect(orders.count > 1 || wrong > 0, "nothing was interleaved", sourceLocation: sourceLocation)
        return orders.count
    }

    /// The orders in which one actor does some of its steps, then the others all of theirs, and then the first the rest.
    func runWithOneSwitch(_ actors: [Actor], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for first in actors.indices {
            var (before, isDone, wrong) = (1, false, 0)
            while !isDone, wrong < 3 {
                let world = try await CollectionWorld(remains, packSize: packSize, rows: rows)
                var taken = 0
                var faults = await play(actors, in: world) { steps in
                    let others = steps.keys.filter { $0 != first }.min()
                    let isFirst = steps[first] != nil && (taken < before || others == nil)
                    taken += isFirst ? 1 : 0
                    return isFirst ? first : others
                }
                isDone = taken <= before
                faults += try await look(at: world, isAtRest: true)
                wrong += report(faults, "actor \(first) for \(before) steps, then the others", sourceLocation)
                try await world.close()
                before += 1
            }
        }
    }

    private func look(at world: CollectionWorld, isAtRest: Bool) async throws -> [String] {
        var faults: [String] = []
        if isAtRest {
            try await world.comeToRest()
            faults += try await world.leaks().map { "leaked: \($0)" }
        }
        return try await world.faults() + faults
    }

    private func report(_ faults: [String], _ order: String, _ sourceLocation: SourceLocation) -> Int {
        if faults.isEmpty { return 0 }
        Issue.record("\(order): \(faults)", sourceLocation: sourceLocation)
        return 1
    }

    private func play(
        _ actors: [Actor], in world: CollectionWorld, _ choose: ([Int: StepKind]) -> Int?
    ) async -> [String] {
        let faults = Mutex<[String]>([])
        var bodies: [@Sendable () async -> Void] = []
        for (index, body) in actors.enumerated() {
            bodies.append { [mayFail] in
                do {
                    try await body(world)
                } catch is Killed {
                } catch {
                    if !mayFail.contains(index) { faults.withLock { $0.append("actor \(index): \(error)") } }
                }
            }
        }
        var taken: [Int: Int] = [:]
        await world.schedule.run(bodies) { steps in
            guard let actor = choose(steps) else { return nil }
            defer { taken[actor, default: 0] += 1 }
            return (actor, kill.map { $0.actor == actor && $0.step == taken[actor, default: 0] } ?? false)
        }
        return faults.withLock { $0 }
    }
}
