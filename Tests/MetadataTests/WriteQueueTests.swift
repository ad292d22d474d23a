import Metadata
import Synchronization
import Testing

@testable import MetadataSQLite

/// A write that does nothing but has a number.
private final class NumberedWrite: GroupedWrite {
    let number: Int

    init(_ number: Int) {
        self.number = number
    }

    func attempt(_ connection: any MetadataConnection) throws {}
    func succeed() {}
    func fail(_ error: any Error) {}
}

private func number(_ write: (any GroupedWrite)?) -> Int? { (write as? NumberedWrite)?.number }

@Suite("The queue of writes")
struct WriteQueueTests {
    @Test("gives the writes in the order in which they came, through any number of rounds")
    func order() {
        let queue = WriteQueue(limit: 2000)
        var (added, taken) = (0, 0)
        // It grows and shrinks, past the points where what was taken is cut off.
        for count in [1, 255, 3, 256, 700, 1, 512] {
            for _ in 0..<count {
                _ = queue.add(NumberedWrite(added))
                added += 1
            }
            for _ in 0..<(count - count / 3) {
                #expect(number(queue.take()) == taken)
                taken += 1
            }
            #expect(queue.count == added - taken)
        }
        while let next = number(queue.take()) {
            #expect(next == taken)
            taken += 1
        }
        #expect(taken == added)
    }

    @Test("tells the first who comes to work it off, and nobody else until that work is over")
    func oneWorker() {
        let queue = WriteQueue(limit: 10)
        #expect(queue.add(NumberedWrite(1)) == .first)
        #expect(queue.add(NumberedWrite(2)) == .queued)
        #expect(number(queue.takeOrStop()) == 1)
        #expect(number(queue.take()) == 2)
        // Nothing waits, but the work goes on: whoever comes now is seen by it.
        #expect(queue.take() == nil)
        #expect(queue.add(NumberedWrite(3)) == .queued)
        #expect(number(queue.takeOrStop()) == 3)
        #expect(queue.takeOrStop() == nil)
        #expect(queue.add(NumberedWrite(4)) == .first)
    }

    @Test("lets in no more than its bound, and again when there is room")
    func bound() {
        let queue = WriteQueue(limit: 2)
        #expect([1, 2, 3].map { queue.add(NumberedWrite($0)) } == [.first, .queued, .full])
        #expect(number(queue.take()) == 1)
        #expect(queue.add(NumberedWrite(4)) == .queued)
        #expect(queue.add(NumberedWrite(5)) == .full)
        #expect([queue.take(), queue.take(), queue.take()].map(number) == [2, 4, nil])
    }

    @Test("once closed lets nobody in, but gives out what waits")
    func closed() {
        let queue = WriteQueue(limit: 5)
        _ = queue.add(NumberedWrite(1))
        #expect(!queue.isClosed)
        #expect(queue.close())
        #expect(!queue.close())
        #expect(queue.isClosed)
        #expect(queue.add(NumberedWrite(2)) == .closed)
        #expect(number(queue.takeOrStop()) == 1)
        #expect(queue.takeOrStop() == nil)
    }
}
