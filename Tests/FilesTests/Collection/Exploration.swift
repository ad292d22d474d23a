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

    /// - Returns: how many orders there were.
    @discardableResult
    func run(_ actors: [Actor], sourceLocation: SourceLocation = #_sourceLocation) async throws -> Int {
        var orders = Interleavings()
        var wrong = 0
        repeat {
            let world = try await CollectionWorld(remains, packSize: packSize, rows: rows)
            var faults = await play(actors, in: world, &orders)
            if !orders.isPruned {
                // What nothing needs goes in a later run just as well: that is looked at in some orders only.
                if orders.count % 4 == 0 {
                    try await world.comeToRest()
                    faults += try await world.leaks().map { "leaked: \($0)" }
                }
                faults += try await world.faults()
                if !faults.isEmpty {
                    wrong += 1
                    if wrong <= 3 { Issue.record("order \(orders.order): \(faults)", sourceLocation: sourceLocation) }
                }
            }
            try await world.store.close()
            try await world.raw.close()
        } while wrong < 20 && orders.advance()
        #expect(orders.count > 1, "nothing was interleaved", sourceLocation: sourceLocation)
        return orders.count
    }

    private func play(_ actors: [Actor], in world: CollectionWorld, _ orders: inout Interleavings) async -> [String] {
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
            guard let actor = orders.choose(steps) else { return nil }
            defer { taken[actor, default: 0] += 1 }
            return (actor, kill.map { $0.actor == actor && $0.step == taken[actor, default: 0] } ?? false)
        }
        return faults.withLock { $0 }
    }
}
