import Metadata
import Model
import TestSupport
import Testing

@testable import Files

@Suite("The policy of the archive")
struct ArchivePolicyTests {
    private let now = Timestamp(nanoseconds: 1_767_323_045_000_000_000)
    private let day = Duration.seconds(86_400)

    private func ago(_ days: Int) -> Timestamp { now.advanced(by: .zero - day * days) }

    @Test("past versions go after a while, current files never, unless it says so")
    func standard() {
        let cutoffs = ArchivePolicy().cutoffs(at: now)
        #expect(cutoffs.ended == ago(90))
        #expect(cutoffs.begun == nil)
        #expect(cutoffs.unread == Day(ago(90)))
        #expect(cutoffs.today == Day(now))
        let all = ArchivePolicy(currentAfter: day * 400).cutoffs(at: now)
        #expect(all.begun == ago(400))
        #expect(all.unreadFiles == Day(ago(400)))
        #expect(all.unread == Day(ago(90)))
    }

    @Test("of spans below a day no reading counts: it is not known that closely")
    func short() {
        let cutoffs = ArchivePolicy(pastAfter: .seconds(3600), currentAfter: .zero).cutoffs(at: now)
        #expect(cutoffs.ended == now.advanced(by: .seconds(-3600)))
        #expect(cutoffs.begun == now)
        #expect(cutoffs.unread > Day(now))
        #expect(cutoffs.unreadFiles > Day(now))
    }

    @Test("what comes back is kept for whole days", arguments: [(0, 0), (1, 1), (7, 7)])
    func kept(days: Int, expected: Int64) {
        let policy = ArchivePolicy(keptAfterThaw: day * days)
        #expect(policy.keptDay(at: now).number == Day(now).number + expected)
    }

    @Test(
        "days begin at midnight, also before 1970",
        arguments: [(0, 0), (86_399, 0), (86_400, 1), (-1, -1), (-86_400, -1), (-86_401, -2)] as [(Int64, Int64)])
    func days(seconds: Int64, number: Int64) {
        #expect(Day(Timestamp(nanoseconds: seconds * 1_000_000_000)).number == number)
    }

}

@Suite("A selection of cold blocks")
struct ColdSelectionTests {
    private func block(_ number: UInt64) -> BlockID { BlockID(Digest(words: (number, 0, 0, 0))) }

    @Test("holds what was proposed and not spared, in the order of the first proposals")
    func order() {
        var selection = ColdSelection(capacity: 4)
        #expect(selection.isEmpty)
        selection.propose([3, 1, 3].map(block))
        #expect(!selection.isFull)
        selection.propose([2, 1, 4].map(block))
        #expect(selection.isFull)
        #expect(selection.blocks == [3, 1, 2, 4].map(block))
        selection.spare([1, 9].map(block))
        #expect(selection.blocks == [3, 2, 4].map(block))
        #expect(selection.contains(block(2)) && !selection.contains(block(1)) && !selection.contains(block(9)))
        #expect(selection.isFull, "what was spared leaves no room: it would be proposed again")
    }

    /// Random histories of a few contents: a pure model says which blocks may go.
    @Test("never holds what a version that is not cold needs, and holds all else that is cold", arguments: 0..<200)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var cold: [[BlockID]] = []
        var warm: [[BlockID]] = []
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            let blocks = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                block(UInt64.random(in: 0..<20, using: &random))
            }
            if Bool.random(using: &random) { cold.append(blocks) } else { warm.append(blocks) }
        }
        var selection = ColdSelection(capacity: 1000)
        for blocks in cold { selection.propose(blocks) }
        for blocks in warm { selection.spare(blocks) }
        let expected = Set(cold.joined()).subtracting(warm.joined())
        #expect(Set(selection.blocks) == expected)
        #expect(selection.blocks.count == expected.count)
        let ages = Dictionary(cold.joined().enumerated().map { ($1, $0) }) { first, _ in first }
        #expect(selection.blocks == selection.blocks.sorted { ages[$0]! < ages[$1]! })
    }
}
