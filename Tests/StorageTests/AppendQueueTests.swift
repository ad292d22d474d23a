import Model
import Testing

@testable import Storage

/// The queue of appends as a state machine, with numbers for those who wait.
@Suite struct AppendQueueTests {
    private typealias Queue = AppendQueue<Int>

    private func records(_ sizes: Int...) -> [FramedRecord] {
        sizes.map { FramedRecord([UInt8](repeating: 7, count: $0)) }
    }

    private func places(_ count: Int, from first: UInt64 = 0) -> Result<[PackLocation], StorageError> {
        .success(
            (0..<count).map { PackLocation(pack: .init(high: 1, low: 1), offset: first + UInt64($0), length: 0) })
    }

    private func expect<Value: Equatable>(
        _ value: Value, _ expected: Value, at location: SourceLocation = #_sourceLocation
    ) {
        #expect(value == expected, sourceLocation: location)
    }

    @Test("the first to come leads, the others wait")
    func firstLeads() {
        var queue = Queue(capacity: 1000)
        guard case .lead = queue.admit(records(10), waiter: 1) else {
            Issue.record("nobody leads")
            return
        }
        expect(queue.admit(records(10), waiter: 2), .waiting)
        expect(queue.admitExclusive(waiter: 3), .waiting)
        #expect(queue.waitingBytes == 20)
    }

    @Test("a group takes what fits, in order, and at least one record")
    func groupFits() {
        var queue = Queue(capacity: 10_000)
        _ = queue.admit(records(100), waiter: 1)
        _ = queue.admit(records(100, 100), waiter: 2)
        _ = queue.admit(records(100), waiter: 3)
        let frame = 100 + PackFormat.recordHeaderLength
        #expect(queue.nextGroup(limit: 10).records.count == 1)
        #expect(queue.nextGroup(limit: frame * 2).records.count == 2)
        #expect(queue.nextGroup(limit: frame * 2).entryCount == 2)
        let all = queue.nextGroup(limit: frame * 4)
        #expect(all.records.count == 4)
        #expect(all.frameBytes == frame * 4)
        #expect(all.entryCount == 3)
    }

    @Test("an append that spans two groups is done with the second")
    func spanning() throws {
        var queue = Queue(capacity: 10_000)
        _ = queue.admit(records(100), waiter: 1)
        _ = queue.admit(records(100, 100, 100), waiter: 2)
        let limit = 2 * (100 + PackFormat.recordHeaderLength)
        let first = queue.nextGroup(limit: limit)
        let settled = queue.settle(first, places(2))
        #expect(try settled.own?.get().map(\.offset) == [0])
        #expect(settled.finished.isEmpty)
        expect(queue.handOver()?.waiter, 2)
        let second = queue.nextGroup(limit: limit)
        #expect(second.records.count == 2)
        let end = queue.settle(second, places(2, from: 10))
        #expect(try end.own?.get().map(\.offset) == [1, 10, 11])
        #expect(queue.waitingBytes == 0)
        expect(queue.handOver()?.waiter, nil)
    }

    @Test("a failed group fails everyone in it, and nobody behind it")
    func failure() {
        var queue = Queue(capacity: 10_000)
        _ = queue.admit(records(100), waiter: 1)
        _ = queue.admit(records(100), waiter: 2)
        _ = queue.admit(records(100), waiter: 3)
        let group = queue.nextGroup(limit: 2 * (100 + PackFormat.recordHeaderLength))
        let settled = queue.settle(group, .failure(StorageError(.full, "no room")))
        #expect(settled.finished.map(\.waiter) == [2])
        #expect(throws: StorageError(.full, "")) { try settled.own?.get() }
        expect(queue.handOver()?.waiter, 3)
        #expect(queue.waitingBytes == 100)
    }

    @Test("an exclusive entry is not overtaken: groups end before it")
    func exclusive() {
        var queue = Queue(capacity: 10_000)
        _ = queue.admit(records(100), waiter: 1)
        _ = queue.admitExclusive(waiter: 2)
        _ = queue.admit(records(100), waiter: 3)
        let group = queue.nextGroup(limit: 10_000)
        #expect(group.records.count == 1)
        _ = queue.settle(group, places(1))
        expect(queue.handOver()?.waiter, 2)
        queue.finishExclusive()
        expect(queue.handOver()?.waiter, 3)
    }

    @Test("what is more than the queue holds is refused, a single large append is not")
    func capacity() {
        var queue = Queue(capacity: 150)
        guard case .lead = queue.admit(records(400), waiter: 1) else {
            Issue.record("an append larger than the queue can never be written")
            return
        }
        expect(queue.admit(records(1), waiter: 2), .refused)
        _ = queue.settle(queue.nextGroup(limit: 10_000), places(1))
        expect(queue.handOver()?.waiter, nil)
        _ = queue.admit(records(100), waiter: 3)
        expect(queue.admit(records(50), waiter: 4), .waiting)
        expect(queue.admit(records(1), waiter: 5), .refused)
        expect(queue.admitExclusive(waiter: 6), .waiting)
    }
}
