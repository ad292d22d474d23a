/// The connections that wait for one kind of thing, the one with the earliest deadline first: linked through a
/// ``ConnectionTable``. All of a queue may wait equally long, so who comes last is due last.
struct DeadlineQueue {
    /// How long one may wait, in seconds.
    let patience: UInt32
    private(set) var first: Int32 = -1
    private var last: Int32 = -1
    /// How many wait.
    private(set) var count = 0

    /// Makes an empty queue.
    init(patience: UInt32) {
        self.patience = patience
    }

    /// Adds a connection that is in no queue.
    mutating func append(_ descriptor: Int32, in table: ConnectionTable, now: UInt32) {
        // The time moves in whole seconds: one more, so that nobody is cut off early.
        table[descriptor].pointee.deadline = now + patience + 1
        table[descriptor].pointee.previous = last
        table[descriptor].pointee.next = -1
        if last >= 0 { table[last].pointee.next = descriptor } else { first = descriptor }
        last = descriptor
        count += 1
    }

    /// Takes a connection out.
    mutating func remove(_ descriptor: Int32, in table: ConnectionTable) {
        let (previous, next) = (table[descriptor].pointee.previous, table[descriptor].pointee.next)
        if previous >= 0 { table[previous].pointee.next = next } else { first = next }
        if next >= 0 { table[next].pointee.previous = previous } else { last = previous }
        table[descriptor].pointee.previous = -1
        table[descriptor].pointee.next = -1
        count -= 1
    }

    /// The first connection when its time is over.
    func due(in table: ConnectionTable, now: UInt32) -> Int32? {
        first >= 0 && table[first].pointee.deadline <= now ? first : nil
    }
}
