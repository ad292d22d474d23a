import Metadata
import Testing

@testable import MetadataPostgreSQL

/// A call that only has a kind and a number.
private final class NumberedCall: PoolCall {
    let number: Int
    let kind: TransactionKind
    let deadline = ContinuousClock.now
    // One test owns each call, and runs alone on it.
    nonisolated(unsafe) var conflicts = 0
    // As above: one test owns each call.
    nonisolated(unsafe) var usesSavepoints = false

    init(_ number: Int, _ kind: TransactionKind) {
        self.number = number
        self.kind = kind
    }

    func attempt(_ connection: any MetadataConnection) throws {}
    func succeed() {}
    func fail(_ error: any Error) {}
}

@Suite("Which call is next")
struct CallScheduleTests {
    private func taken(_ schedule: inout CallSchedule) -> [Int] {
        var numbers: [Int] = []
        while let call = schedule.take() as? NumberedCall { numbers.append(call.number) }
        return numbers
    }

    @Test("is the one that came first, of either kind")
    func order() {
        var schedule = CallSchedule(connections: 8)
        for (number, kind) in [TransactionKind.read, .write, .write, .read, .migration].enumerated() {
            schedule.add(NumberedCall(number, kind))
        }
        #expect(schedule.count == 5 && schedule.hasNext)
        #expect(taken(&schedule) == [0, 1, 2, 3, 4])
        #expect(schedule.count == 0 && !schedule.hasNext)
    }

    @Test("leaves a connection to the other kind", arguments: [(1, 1), (2, 1), (4, 3), (8, 6)])
    func bounds(_ connections: Int, _ most: Int) {
        var schedule = CallSchedule(connections: connections)
        for number in 0..<20 { schedule.add(NumberedCall(number, .write)) }
        schedule.add(NumberedCall(20, .read))
        #expect(taken(&schedule) == Array(0..<most) + [20])
        schedule.end(.write, wasRepeated: false)
        #expect(taken(&schedule) == [most])
    }

    @Test("is one that others were in the way of, but never two of them at once")
    func repeats() {
        var schedule = CallSchedule(connections: 8)
        schedule.add(NumberedCall(0, .write))
        for number in 1...2 {
            let call = NumberedCall(number, .write)
            call.conflicts = 1
            schedule.add(call)
        }
        #expect(taken(&schedule) == [1, 0])
        schedule.end(.write, wasRepeated: false)
        #expect(taken(&schedule) == [])
        schedule.end(.write, wasRepeated: true)
        #expect(taken(&schedule) == [2])
    }

    @Test("stays the oldest over thousands of calls")
    func many() {
        var schedule = CallSchedule(connections: 8)
        var expected = 0
        for number in 0..<5000 {
            schedule.add(NumberedCall(number, .read))
            guard number.isMultiple(of: 3) else { continue }
            #expect((schedule.take() as? NumberedCall)?.number == expected)
            schedule.end(.read, wasRepeated: false)
            expected += 1
        }
        #expect(schedule.count == 5000 - expected)
    }
}

@Suite("The pauses between tries")
struct BackOffTests {
    @Test("grow up to half a second, and start anew after a success")
    func growth() {
        var backOff = BackOff(seed: 7)
        let pauses = (0..<20).map { _ in backOff.next() }
        #expect(pauses[0] <= .milliseconds(20) && pauses[0] >= .milliseconds(10))
        #expect(pauses.allSatisfy { $0 <= .milliseconds(500) })
        #expect(pauses[10...].allSatisfy { $0 >= .milliseconds(250) })
        backOff.reset()
        #expect(backOff.next() <= .milliseconds(20))
    }

    @Test("differ between threads, and are the same for the same seed")
    func seeds() {
        func pauses(_ seed: UInt64) -> [Duration] {
            var backOff = BackOff(seed: seed)
            return (0..<8).map { _ in backOff.next() }
        }
        #expect(pauses(1) == pauses(1) && pauses(1) != pauses(2))
        #expect(Set(pauses(0)).count == 8)
    }
}
