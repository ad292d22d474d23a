/// Which of the calls that wait is next.
///
/// Reads and writes go in the order in which they came, but neither may take all connections: writes that wait for each
/// other's locks must not keep reads out. Calls that others were in the way of are tried again one at a time, before
/// anything new: so they can't go on hindering each other, however many they are.
struct CallSchedule {
    private struct Waiting {
        var calls: [any PoolCall] = []
        var numbers: [UInt64] = []
        var next = 0

        var count: Int { calls.count - next }
        /// When the first one came, as a number; nil when there is none.
        var first: UInt64? { next < numbers.count ? numbers[next] : nil }

        mutating func add(_ call: any PoolCall, _ number: UInt64) {
            calls.append(call)
            numbers.append(number)
        }

        mutating func take() -> (any PoolCall)? {
            guard next < calls.count else { return nil }
            let call = calls[next]
            next += 1
            // What was taken is cut off now and then, so that taking stays O(1) on average.
            if next == calls.count || next >= 256 {
                calls.removeFirst(next)
                numbers.removeFirst(next)
                next = 0
            }
            return call
        }
    }

    /// The most reads, and the most writes, that run at the same time.
    let mostOfAKind: Int
    private var reads = Waiting()
    private var writes = Waiting()
    private var repeats = Waiting()
    private var arrivals: UInt64 = 0
    private var runningReads = 0
    private var runningWrites = 0
    private var isRepeating = false

    init(connections: Int) {
        mostOfAKind = max(1, connections - max(1, connections / 4))
    }

    /// How many calls wait.
    var count: Int { reads.count + writes.count + repeats.count }

    /// Whether a call could be taken now.
    var hasNext: Bool { next != nil }

    private enum Source { case reads, writes, repeats }

    private var next: Source? {
        let mayRead = runningReads < mostOfAKind
        let mayWrite = runningWrites < mostOfAKind
        if mayWrite, !isRepeating, repeats.first != nil { return .repeats }
        switch (mayRead ? reads.first : nil, mayWrite ? writes.first : nil) {
        case (let read?, let write?): return read < write ? .reads : .writes
        case (_?, nil): return .reads
        case (nil, _?): return .writes
        case (nil, nil): return nil
        }
    }

    /// Takes a call in. One that was tried before is tried again alone.
    mutating func add(_ call: any PoolCall) {
        arrivals += 1
        if call.kind == .read {
            reads.add(call, arrivals)
        } else if call.conflicts > 0 {
            repeats.add(call, arrivals)
        } else {
            writes.add(call, arrivals)
        }
    }

    /// Takes the next call; nil when none may run now.
    mutating func take() -> (any PoolCall)? {
        switch next {
        case .reads:
            runningReads += 1
            return reads.take()
        case .writes:
            runningWrites += 1
            return writes.take()
        case .repeats:
            runningWrites += 1
            isRepeating = true
            return repeats.take()
        case nil: return nil
        }
    }

    /// Notes that a call no longer runs; a repeated one is one that others had been in the way of when it was taken.
    mutating func end(_ kind: TransactionKind, wasRepeated: Bool) {
        if kind == .read {
            runningReads -= 1
        } else {
            runningWrites -= 1
            if wasRepeated { isRepeating = false }
        }
    }
}
