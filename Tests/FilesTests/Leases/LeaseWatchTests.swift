import Metadata
import Model
import Testing

@testable import Files

@Suite("When a job may be taken")
struct LeaseWatchTests {
    private let record = LeaseRecord(holder: LeaseHolder(high: 1, low: 1), term: 3, beat: 7)
    private let watch = LeaseWatch(length: .seconds(30))

    @Test("what nobody holds may be taken at once")
    func free() {
        let asked = Duration.seconds(5)
        let given = LeaseRecord(holder: nil, term: 3, beat: 8)
        var (first, second) = (watch, watch)
        let answer1 = first.mayTake(nil, asked: asked, answered: asked)
        #expect(answer1)
        let answer2 = second.mayTake(given, asked: asked, answered: asked)
        #expect(answer2)
    }

    @Test("silence is measured from an answer to the next question, never longer than it was")
    func measured() {
        var watch = watch
        func ask(_ asked: Int, _ answered: Int) -> Bool {
            watch.mayTake(record, asked: .seconds(asked), answered: .seconds(answered))
        }
        // The answer to the first question took twenty seconds: what it told of was so at any of them.
        #expect(!ask(0, 20))
        #expect(!ask(30, 31))
        #expect(!ask(49, 60), "the answer is from a moment after 49 seconds")
        #expect(ask(50, 50))
    }

    @Test("a change of the term or of the beat begins anew")
    func changes() {
        var watch = watch
        func ask(_ term: UInt64, _ beat: UInt64, at seconds: Int) -> Bool {
            let record = LeaseRecord(holder: record.holder, term: term, beat: beat)
            return watch.mayTake(record, asked: .seconds(seconds), answered: .seconds(seconds))
        }
        #expect(!ask(3, 7, at: 0))
        #expect(!ask(3, 8, at: 29))
        #expect(!ask(3, 8, at: 58))
        #expect(!ask(4, 8, at: 59))
        #expect(!ask(4, 8, at: 88))
        #expect(ask(4, 8, at: 89))
    }
}
