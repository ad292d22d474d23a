import Foundation
import Model
import SyncPlanning
import Testing

/// Histories at random: one number makes a history again. `CAIRN_SEEDS=200000` runs more of them,
/// `CAIRN_FIRST_SEED=17 CAIRN_SEEDS=1 CAIRN_LOG=1` looks into one.
@Suite struct ConvergenceTests {
    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    private func run(standard count: UInt64, _ body: (UInt64) -> Simulation) {
        let first = Self.number("CAIRN_FIRST_SEED") ?? 1
        for seed in first..<(first + (Self.number("CAIRN_SEEDS") ?? count)) {
            let simulation = body(seed)
            guard !simulation.failures.isEmpty else { continue }
            let story = simulation.story.lines.joined(separator: "\n")
            Issue.record("seed \(seed): \(simulation.failures.joined(separator: "\n"))\n\(story)")
            return
        }
    }

    @Test("three devices that edit, crash and race end with one tree, and no unseen bytes are lost")
    func wildHistories() {
        run(standard: 600) { seed in
            var simulation = Simulation(seed: seed, isLogging: Self.number("CAIRN_LOG") != nil)
            simulation.runWild(steps: 10 + Int(seed % 40))
            simulation.quiesce()
            simulation.check()
            // Whatever was found once must not be found again.
            simulation.quiesce(rounds: 1)
            return simulation
        }
    }

    @Test("devices that edit one after the other mirror each other exactly, without a conflict")
    func sequentialHistories() {
        run(standard: 300) { seed in
            var simulation = Simulation(seed: seed, isLogging: Self.number("CAIRN_LOG") != nil)
            for turn in 0..<6 {
                let index = Int(seed &+ UInt64(turn * turn)) % 3
                for _ in 0..<6 { simulation.edit(index) }
                let expected = simulation.devices[index].disk.picture
                simulation.story.tell("\(simulation.devices[index].name) \(expected)")
                for _ in 0..<2 { for other in [index, 0, 1, 2] { simulation.sync(other, chaos: nil) } }
                simulation.check()
                if simulation.server.picture != expected {
                    simulation.failures.append("expected \(expected), the server has \(simulation.server.picture)")
                }
                if simulation.tally[.conflict, default: 0] > 0 { simulation.failures.append("a conflict with nobody") }
                if !simulation.failures.isEmpty { break }
            }
            return simulation
        }
    }

    @Test("devices that were offline for long and edited much converge in a few rounds")
    func offlineHistories() {
        run(standard: 200) { seed in
            var simulation = Simulation(seed: seed, isLogging: Self.number("CAIRN_LOG") != nil)
            for _ in 0..<20 { simulation.edit(0) }
            simulation.quiesce()
            for index in 0..<3 { for _ in 0..<15 { simulation.edit(index) } }
            for index in 0..<3 { simulation.story.tell("\(index): \(simulation.devices[index].disk.picture)") }
            simulation.quiesce()
            simulation.check()
            return simulation
        }
    }

    @Test("folders that are moved into each other on different devices end in one tree")
    func crossingHistories() {
        run(standard: 300) { seed in
            var simulation = Simulation(seed: seed, isLogging: Self.number("CAIRN_LOG") != nil, habit: .crossesFolders)
            simulation.cross()
            simulation.quiesce()
            simulation.check()
            return simulation
        }
    }

    @Test("the histories meet everything that can happen")
    func coverage() {
        var tally: [Occasion: Int] = [:]
        for seed in UInt64(1)...200 {
            var wild = Simulation(seed: seed)
            wild.runWild(steps: 40)
            wild.quiesce()
            tally.merge(wild.tally, uniquingKeysWith: +)
            var crossing = Simulation(seed: seed, habit: .crossesFolders)
            crossing.cross()
            crossing.quiesce()
            tally.merge(crossing.tally, uniquingKeysWith: +)
        }
        for occasion in Occasion.allCases {
            #expect(tally[occasion, default: 0] >= 10, "\(occasion) was met \(tally[occasion, default: 0]) times")
        }
        if Self.number("CAIRN_LOG") != nil { print(tally) }
    }
}
