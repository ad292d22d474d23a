import Synchronization
import Testing

@testable import NotificationReactor

@Suite struct DeskGateTests {
    private struct Refused: Error, Hashable { let number: Int }

    /// Counts with a load and a store: two at a time would lose some.
    private final class Count: Sendable {
        let passed = Atomic(0)

        func step() -> Int {
            let before = passed.load(ordering: .relaxed)
            passed.store(before + 1, ordering: .relaxed)
            return before
        }
    }

    @Test func `one at a time passes, and what it brings comes back`() async {
        let gate = DeskGate()
        let count = Count()
        let brought = await withTaskGroup(of: [Int].self) { group in
            for _ in 0..<8 { group.addTask { (0..<2_000).map { _ in gate.pass { count.step() } } } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(brought.sorted() == Array(0..<16_000))
    }

    @Test func `who fails inside leaves the gate open`() {
        let gate = DeskGate()
        for number in 0..<3 {
            #expect(throws: Refused(number: number)) { try gate.pass { throw Refused(number: number) } }
        }
        #expect(gate.pass { 7 } == 7)
    }
}
