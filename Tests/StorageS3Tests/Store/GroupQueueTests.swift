import Testing

@testable import StorageS3

/// Who stores next: the pure state machine.
@Suite struct GroupQueueTests {
    private func entry(_ waiter: Int, bytes: Int = 10) -> GroupQueue<Int>.Entry {
        .init(records: [], bytes: bytes, waiter: waiter)
    }

    private func isLead(_ admission: GroupQueue<Int>.Admission) -> Bool {
        if case .lead = admission { true } else { false }
    }

    private func isRefused(_ admission: GroupQueue<Int>.Admission) -> Bool {
        if case .refused = admission { true } else { false }
    }

    @Test("as many lead as there are places, the rest waits and is gathered up to the limit")
    func gathering() {
        var queue = GroupQueue<Int>(places: 2, limit: 30, capacity: 1000)
        #expect(queue.isIdle)
        #expect(isLead(queue.admit(entry(0))) && isLead(queue.admit(entry(1))))
        for waiter in 2..<7 { #expect(!isLead(queue.admit(entry(waiter)))) }
        #expect(queue.pendingBytes == 70)
        #expect(queue.finish([entry(0)])?.map(\.waiter) == [2, 3, 4])
        #expect(queue.finish([entry(1)])?.map(\.waiter) == [5, 6])
        #expect(queue.busy == 2)
        #expect(queue.finish([entry(2), entry(3), entry(4)])?.isEmpty ?? true)
        #expect(!queue.isIdle)
        #expect(queue.finish([entry(5), entry(6)])?.isEmpty ?? true)
        #expect(queue.isIdle && queue.pendingBytes == 0)
    }

    @Test("one that is larger than the limit goes alone")
    func large() {
        var queue = GroupQueue<Int>(places: 1, limit: 30, capacity: 1000)
        _ = queue.admit(entry(0))
        _ = queue.admit(entry(1, bytes: 100))
        _ = queue.admit(entry(2))
        #expect(queue.finish([entry(0)])?.map(\.waiter) == [1])
        #expect(queue.finish([entry(1, bytes: 100)])?.map(\.waiter) == [2])
    }

    @Test("beyond the capacity none is let in, but the first always")
    func capacity() {
        var queue = GroupQueue<Int>(places: 1, limit: 30, capacity: 50)
        #expect(isLead(queue.admit(entry(0, bytes: 500))))
        #expect(isRefused(queue.admit(entry(1))))
        _ = queue.finish([entry(0, bytes: 500)])
        #expect(isLead(queue.admit(entry(2))))
        #expect(!isRefused(queue.admit(entry(3, bytes: 40))))
        #expect(isRefused(queue.admit(entry(4, bytes: 1))))
    }
}
