import Foundation
import Testing

/// Histories at random against a plain reference. `CAIRN_HISTORIES=10000000` runs more of them, on as many threads as there
/// are processors; `CAIRN_FIRST_SEED=17 CAIRN_HISTORIES=1` looks into one.
@Suite("Histories of polls and commits")
struct HistoryTests {
    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    private struct Summary {
        var steps = 0
        var tally: [String: Int] = [:]
        var failure: String?
    }

    /// Runs histories of some forty steps each, every two hundredth a long one among many devices.
    private static func run(_ seeds: Range<UInt64>, every stride: UInt64, from offset: UInt64) -> Summary {
        var summary = Summary()
        var seed = seeds.lowerBound + offset
        while seed < seeds.upperBound {
            let isLarge = seed % 200 == 0
            let steps = isLarge ? 1000 : 10 + Int(seed % 60)
            var history = HubHistory(seed: seed, isLarge: isLarge)
            history.run(steps: steps)
            summary.steps += steps
            summary.tally.merge(history.tally, uniquingKeysWith: +)
            if let failure = history.failures.first {
                summary.failure = "seed \(seed): \(failure)"
                break
            }
            seed += stride
        }
        return summary
    }

    @Test("no wake-up is lost, none goes to others, each poll ends once, and nothing is left behind")
    func noLostWakeUps() async {
        let first = Self.number("CAIRN_FIRST_SEED") ?? 1
        let seeds = first..<(first + (Self.number("CAIRN_HISTORIES") ?? 4600))
        let threads = UInt64(ProcessInfo.processInfo.activeProcessorCount)
        let summaries = await withTaskGroup(of: Summary.self) { group in
            for thread in 0..<threads {
                group.addTask { Self.run(seeds, every: threads, from: thread) }
            }
            return await group.reduce(into: [Summary]()) { $0.append($1) }
        }
        for failure in summaries.compactMap(\.failure) { Issue.record("\(failure)") }
        guard seeds.count >= 1000 else { return }
        let tally = summaries.reduce(into: [String: Int]()) { $0.merge($1.tally, uniquingKeysWith: +) }
        let everything = [
            "moved", "moved many", "pending", "timedOut", "replaced", "revoked", "closing", "disconnected", "refused",
            "failed reading",
        ]
        for occasion in everything {
            #expect(tally[occasion, default: 0] >= 30, "\(occasion) was met \(tally[occasion, default: 0]) times")
        }
        #expect(summaries.map(\.steps).reduce(0, +) >= 40 * seeds.count)
    }

    @Test("the same seed makes the same history")
    func repeatable() {
        for seed in [3, 200] as [UInt64] {
            var (one, other) = (HubHistory(seed: seed), HubHistory(seed: seed))
            one.run(steps: 300)
            other.run(steps: 300)
            #expect(one.tally == other.tally)
            #expect(one.failures.isEmpty)
        }
    }

    @Test("a fault of each kind is found", arguments: HubHistory.Sabotage.allCases)
    func checksCanFail(sabotage: HubHistory.Sabotage) {
        let found = (1...50 as ClosedRange<UInt64>).contains { seed in
            var history = HubHistory(seed: seed, sabotage: sabotage)
            history.run(steps: 60)
            return !history.failures.isEmpty
        }
        #expect(found)
    }
}
