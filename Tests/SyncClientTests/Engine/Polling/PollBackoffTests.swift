import TestSupport
import Testing

@testable import SyncClient

@Suite("The pause after failed polls")
struct PollBackoffTests {
    /// Always draws the largest number.
    private struct Highest: RandomNumberGenerator {
        mutating func next() -> UInt64 { .max }
    }

    @Test("doubles with each failure, up to its bound")
    func growth() {
        var backoff = PollBackoff(base: .seconds(1), cap: .seconds(60))
        var generator = Highest()
        let drawn = (0..<9).map { _ in backoff.next(using: &generator) }
        #expect(drawn == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
        for _ in 0..<1000 { _ = backoff.next(using: &generator) }
        #expect(backoff.next(using: &generator) == .seconds(60))
    }

    @Test("begins anew after a success")
    func reset() {
        var backoff = PollBackoff(base: .seconds(1), cap: .seconds(60))
        var generator = Highest()
        for _ in 0..<5 { _ = backoff.next(using: &generator) }
        backoff.reset()
        #expect(backoff.next(using: &generator) == .seconds(1))
    }

    @Test("spreads a crowd evenly over the whole span")
    func spread() {
        var generator = SeededGenerator(seed: 3)
        var tenths = [Int](repeating: 0, count: 10)
        for _ in 0..<10_000 {
            var backoff = PollBackoff(base: .seconds(10), cap: .seconds(60))
            let pause = backoff.next(using: &generator)
            #expect(pause >= .zero && pause <= .seconds(10))
            tenths[min(9, Int(pause.components.seconds))] += 1
        }
        #expect(tenths.allSatisfy { (850...1150).contains($0) }, "\(tenths)")
    }

    @Test("is the same again from the same seed")
    func seeds() {
        func draw() -> [Duration] {
            var backoff = PollBackoff(base: .seconds(1), cap: .seconds(60))
            var generator = SeededGenerator(seed: 8)
            return (0..<8).map { _ in backoff.next(using: &generator) }
        }
        #expect(draw() == draw())
    }
}
