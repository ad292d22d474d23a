import TestSupport
import Testing

@testable import NotificationReactor

@Suite struct AcceptTurnsTests {
    @Test func `at first the active loops share the listeners`() {
        let turns = AcceptTurns(listeners: 5, active: 2)
        #expect(turns.held(by: 0) == [0, 2, 4])
        #expect(turns.held(by: 1) == [1, 3])
        #expect(turns.held(by: 2) == [])
        #expect(turns.version == 0)
    }

    @Test func `a loop that is full passes all its turns to the first that has room and no turn`() {
        let turns = AcceptTurns(listeners: 4, active: 2)
        #expect(turns.pass(from: 0, candidates: [1, 2, 3, 4]) { $0 != 2 } == 3)
        #expect(turns.held(by: 0) == [])
        #expect(turns.held(by: 3) == [0, 2])
        #expect(turns.held(by: 1) == [1, 3])
        #expect(turns.version == 1)
    }

    @Test func `when all that have room accept already, one of those takes more`() {
        let turns = AcceptTurns(listeners: 3, active: 3)
        #expect(turns.pass(from: 0, candidates: [1, 2]) { _ in true } == 1)
        #expect(turns.held(by: 1) == [0, 1])
    }

    @Test func `when none has room the turn stays`() {
        let turns = AcceptTurns(listeners: 2, active: 1)
        #expect(turns.pass(from: 0, candidates: [0, 1, 2]) { $0 == 0 } == nil)
        #expect(turns.held(by: 0) == [0, 1])
        #expect(turns.version == 0)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `each listener is always some loop's, whoever passes`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let loops = Int.random(in: 1...9, using: &generator)
        let listeners = Int.random(in: 1...9, using: &generator)
        let turns = AcceptTurns(listeners: listeners, active: Int.random(in: 1...loops, using: &generator))
        for _ in 0..<200 {
            let full = generator.next()
            let from = Int.random(in: 0..<loops, using: &generator)
            let heir = turns.pass(from: from, candidates: 0..<loops) { full >> UInt64($0) & 1 == 0 }
            #expect(heir.map { $0 != from && full >> UInt64($0) & 1 == 0 } ?? true)
            #expect((0..<loops).flatMap { turns.held(by: $0) }.sorted() == Array(0..<listeners))
        }
    }
}
