import Model
import TestSupport
import Testing

@testable import Metadata

@Suite("Spans of revisions")
struct RevisionSpansTests {
    private func spans(_ ranges: Range<UInt64>...) -> RevisionSpans {
        RevisionSpans(ranges.map { Revision($0.lowerBound)..<Revision($0.upperBound) })
    }

    @Test("those that meet or overlap become one, in whatever order they come")
    func merge() {
        #expect(spans(5..<7, 1..<3, 3..<4, 6..<9) == spans(1..<4, 5..<9))
        #expect(spans(4..<4) == .never)
        #expect(RevisionSpans.never.isEmpty)
        #expect(!spans(1..<2).isEmpty)
    }

    @Test("the first and the last revision; what has not ended has none")
    func bounds() {
        #expect(spans(2..<3, 8..<9).from == Revision(2))
        #expect(spans(2..<3, 8..<9).until == Revision(9))
        #expect(RevisionSpans.always.until == nil)
        #expect(RevisionSpans.never.until == nil)
        #expect(RevisionSpans.never.from == .zero)
    }

    /// The revisions below `count` at which it was so.
    private func members(_ spans: RevisionSpans, below count: Int) -> Set<Int> {
        Set((0..<count).filter { number in spans.spans.contains { $0.contains(Revision(UInt64(number))) } })
    }

    @Test("are what sets of revisions would be", arguments: 1...40 as ClosedRange<UInt64>)
    func model(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var sets: [Set<Int>] = [[], []]
        var found: [RevisionSpans] = [.never, .never]
        for _ in 0..<12 {
            let which = Int.random(in: 0...1, using: &generator)
            let first = Int.random(in: 0..<40, using: &generator)
            let last = first + Int.random(in: 0...6, using: &generator)
            sets[which].formUnion(first..<last)
            found[which].add(Revision(UInt64(first))..<Revision(UInt64(last)))
        }
        for which in 0...1 { #expect(members(found[which], below: 60) == sets[which]) }
        let (union, common) = (found[0].union(found[1]), found[0].intersection(found[1]))
        #expect(members(union, below: 60) == sets[0].union(sets[1]))
        #expect(members(common, below: 60) == sets[0].intersection(sets[1]))
        for one in found + [union, common] {
            for (left, right) in zip(one.spans, one.spans.dropFirst()) {
                #expect(left.upperBound < right.lowerBound)
            }
        }
        #expect(found[0].intersection(.always) == found[0])
        #expect(found[0].intersection(.never) == .never)
    }
}
