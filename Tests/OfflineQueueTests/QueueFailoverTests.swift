import Messaging
import Testing

@Suite("Which replica of a queue is used")
struct QueueFailoverTests {
    private func seconds(_ number: Int64) -> Duration { .seconds(number) }

    /// A state in which both are current.
    private func whole() -> QueueFailover {
        var failover = QueueFailover()
        failover.begin(first: .complete, second: .complete, term: 0)
        return failover
    }

    /// Brings back what is due, without a failure.
    private func bringBack(_ failover: inout QueueFailover, at now: Duration) -> [QueueFailover.CatchUp] {
        let ways = failover.due(at: now)
        for way in ways {
            let (isReset, term) = (failover.reset(way), failover.finished(way))
            #expect(isReset)
            #expect(term != nil)
        }
        return ways
    }

    @Test("nothing is read or written before it is known what there is")
    func unknown() {
        let failover = QueueFailover()
        #expect(failover.readable == nil)
        #expect(failover.writable.isEmpty)
    }

    @Test("two that vouch for each other are both current, and the first is read")
    func current() {
        let failover = whole()
        #expect(failover.readable == .first)
        #expect(failover.writable == [.first, .second])
    }

    @Test("one that lacks something is brought up to date from the other one before it is read")
    func behind() throws {
        var failover = QueueFailover()
        // The second says that the first is behind.
        failover.begin(first: .complete, second: .peerBehind, term: 7)
        #expect(failover.term == 8)
        #expect(failover.readable == .second)
        let way = try #require(failover.due(at: .zero).first)
        #expect(way.side == .first)
        #expect(way.isFromPeer)
        #expect(failover.writable == [.second])
        let isReset = failover.reset(way)
        #expect(isReset)
        #expect(failover.writable == [.first, .second])
        #expect(failover.readable == .second)
        let term = failover.finished(way)
        #expect(term == 8)
        #expect(failover.readable == .first)
    }

    @Test("when each says that the other is behind, the first begins anew, and the second takes over from it")
    func bothBehind() {
        var failover = QueueFailover()
        failover.begin(first: .peerBehind, second: .peerBehind, term: 3)
        #expect(failover.readable == nil)
        let first = bringBack(&failover, at: .zero)
        #expect(first.map(\.side) == [.first])
        #expect(first.map(\.isFromPeer) == [false])
        let second = bringBack(&failover, at: .zero)
        #expect(second.map(\.side) == [.second])
        #expect(second.map(\.isFromPeer) == [true])
        #expect(failover.writable == [.first, .second])
    }

    @Test(
        "one whose other half can't be asked begins anew: nobody vouches for it",
        arguments: [
            QueueFailover.Word.complete, .peerBehind,
        ])
    func alone(word: QueueFailover.Word) throws {
        var failover = QueueFailover()
        failover.begin(first: .unreachable, second: word, term: 0)
        #expect(failover.readable == nil)
        let way = try #require(failover.due(at: .zero).first)
        // The first is tried first; it fails, and then it is the second's turn.
        #expect(way.side == .first)
        let counted = failover.failed(.first, at: .zero)
        #expect(counted)
        let next = bringBack(&failover, at: .zero)
        #expect(next.map(\.side) == [.second])
        #expect(next.map(\.isFromPeer) == [false])
        #expect(failover.readable == .second)
    }

    @Test("after a failure the other one is read at once, and the one that failed is not written")
    func failure() {
        var failover = whole()
        let counted = failover.failed(.first, at: seconds(5))
        #expect(counted)
        #expect(failover.readable == .second)
        #expect(failover.writable == [.second])
        #expect(failover.condition(of: .first) == .out(until: seconds(6)))
        let early = failover.due(at: .milliseconds(5999))
        #expect(early.isEmpty)
        let ways = bringBack(&failover, at: seconds(6))
        #expect(ways.map(\.isFromPeer) == [true])
        #expect(failover.readable == .first)
    }

    @Test("failures of calls that were begun before it went out do not count again")
    func lateFailures() {
        var failover = whole()
        failover.failed(.second, at: seconds(5))
        let term = failover.term
        let counted = failover.failed(.second, at: seconds(9))
        #expect(!counted)
        #expect(failover.term == term)
        #expect(failover.condition(of: .second) == .out(until: seconds(6)))
    }

    @Test("the pause doubles with each failure up to a bound, and is short again after it was back")
    func pauses() {
        var failover = whole()
        var now = Duration.zero
        var pauses: [Duration] = []
        for _ in 0..<8 {
            failover.failed(.first, at: now)
            guard case .out(let until) = failover.condition(of: .first) else { return }
            pauses.append(until - now)
            now = until
            _ = failover.due(at: now)
        }
        #expect(pauses == [1, 2, 4, 8, 16, 30, 30, 30].map { .seconds($0) })
        failover.failed(.first, at: now)
        let ways = bringBack(&failover, at: now + .seconds(30))
        #expect(ways.count == 1)
        failover.failed(.first, at: now)
        #expect(failover.condition(of: .first) == .out(until: now + .seconds(1)))
    }

    @Test("one that takes over begins anew when the other one fails meanwhile")
    func sourceFails() throws {
        var failover = whole()
        failover.failed(.first, at: .zero)
        let way = try #require(failover.due(at: seconds(1)).first)
        let isReset = failover.reset(way)
        #expect(isReset)
        failover.failed(.second, at: seconds(2))
        #expect(!failover.isRunning(way))
        let term = failover.finished(way)
        #expect(term == nil)
        #expect(failover.readable == nil)
        #expect(failover.writable.isEmpty)
        let again = bringBack(&failover, at: seconds(2))
        #expect(again.map(\.side) == [.first])
        #expect(again.map(\.isFromPeer) == [false])
        let ways = bringBack(&failover, at: seconds(3))
        #expect(ways.map(\.isFromPeer) == [true])
        #expect(failover.writable == [.first, .second])
    }

    @Test("one that fails while it takes over is out again, and its attempt counts no more")
    func targetFails() throws {
        var failover = whole()
        failover.failed(.first, at: .zero)
        let way = try #require(failover.due(at: seconds(1)).first)
        let generation = failover.generation(of: .first)
        failover.failed(.first, at: seconds(1))
        #expect(failover.generation(of: .first) == generation + 1)
        let isReset = failover.reset(way)
        #expect(!isReset)
        #expect(failover.readable == .second)
        #expect(failover.condition(of: .first) == .out(until: seconds(3)))
    }

    @Test("every time one goes out has a term of its own")
    func terms() {
        var failover = whole()
        var seen: Set<Int64> = [failover.term]
        for number in 0..<10 {
            failover.failed(number % 2 == 0 ? .first : .second, at: seconds(Int64(number) * 100))
            #expect(seen.insert(failover.term).inserted)
            _ = bringBack(&failover, at: seconds(Int64(number) * 100 + 50))
        }
    }
}
