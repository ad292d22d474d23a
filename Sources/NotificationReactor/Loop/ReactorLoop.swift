import CLinux
import Glibc
import Model
import Notifications
import Synchronization

/// One thread's share of the connections: waits for what happens, and does what follows. It never waits for anything else.
///
/// What it holds for a connection is a ``Connection`` in the table. All connections share one buffer to read into and one
/// writer of answers; only a request or an answer that is there in part takes a buffer of the pool.
struct ReactorLoop: ~Copyable {
    let index: Int
    let shared: LoopSurroundings
    let mailbox: Mailbox
    let table: ConnectionTable
    let epoll: Epoll
    let incoming: UnsafeMutableRawBufferPointer
    /// The listeners of the reactor, by number.
    let listeners: [Int32]
    /// Those that this loop accepts from.
    var held: [Int32] = []
    /// The version of the turns by which it does.
    var turnsSeen = -1
    /// Those at which connections have come.
    var arrivals: [Int32] = []
    var queues: ConnectionQueues
    var pool: BufferPool
    var writer = AnswerWriter()
    var counts = LoopCounts()
    var generator: any RandomNumberGenerator & Sendable
    /// How many polls of this loop are parked.
    var parked = 0
    var now: UInt32
    var wallSecond: UInt64 = 0
    /// What cursors are read into.
    var cursors: [Cursor] = []
    var phase = LoopSurroundings.Phase.running
    /// Whether the listeners are left alone until there is room again.
    var isPaused = false
    /// Descriptors of connections that have ended, to be closed when nothing in hand can name them any more: another loop that
    /// shares the file table is given them the moment they are closed.
    var ended: [Int32] = []
    private var mail: [NotificationHub.Ended] = []

    /// Makes a loop that accepts connections when it is its turn. To be called on the thread of the loop: from here on its
    /// descriptors are those of that thread's file table.
    init(
        index: Int, listeners: [Int32], table: ConnectionTable, shared: LoopSurroundings,
        generator: any RandomNumberGenerator & Sendable
    ) throws(ReactorError) {
        let pool = try BufferPool(capacity: shared.configuration.buffers)
        let epoll = try Epoll()
        let mailbox = shared.mailboxes[index]
        let failure = epoll.add(mailbox.descriptor, for: Epoll.mailbox)
        guard failure == 0 else { throw .system("epoll", failure) }
        (self.index, self.listeners, self.table, self.shared) = (index, listeners, table, shared)
        (self.mailbox, self.generator) = (mailbox, generator)
        self.pool = pool
        self.epoll = epoll
        queues = ConnectionQueues(shared.configuration, table: table)
        now = shared.seconds()
        incoming = .allocate(byteCount: RequestParser.maximumLength, alignment: 64)
    }

    deinit { incoming.deallocate() }

    /// Goes round until the reactor stops, or has nothing left to drain.
    mutating func run() {
        takeTurns()
        while !isOver { round() }
        mailbox.close()
        stopListening()
        for descriptor in 0..<Int32(table.count) where counts.connections > 0 && isMine(descriptor) {
            disconnect(descriptor)
        }
        closeEnded()
        shared.records[index].leave(counts)
    }

    private func isMine(_ descriptor: Int32) -> Bool {
        table[descriptor].pointee.state != .free && table[descriptor].pointee.loop == UInt8(index)
    }

    private var isOver: Bool { phase == .stopped || (phase == .draining && counts.connections == 0) }

    private mutating func round() {
        let ready = epoll.wait(milliseconds: mailbox.fallAsleep() ? patience : 0)
        mailbox.collect(into: &mail)
        now = shared.seconds()
        wallSecond = UInt64(max(0, shared.clock.now().nanoseconds / 1_000_000_000))
        for index in 0..<ready {
            let (descriptor, happened) = epoll.event(index)
            if held.contains(descriptor) {
                arrivals.append(descriptor)
            } else if descriptor != mailbox.descriptor {
                take(descriptor, happened)
            }
        }
        openMail()
        clearLate()
        takeTurns()
        enterPhase()
        // Only now: a descriptor that is given out anew, here or to another loop, is not to be met by what happened to the
        // one before.
        closeEnded()
        // What gives way to those that come, and those that go at once, it gives back itself.
        accept()
        shared.records[index].leave(counts)
    }

    /// For how long to sleep, in milliseconds: deadlines are in seconds.
    private var patience: Int32 { queues.isWaiting || isPaused ? 1_000 : -1 }

    private mutating func openMail() {
        var letters: [NotificationHub.Ended] = []
        swap(&letters, &mail)
        for letter in letters { finish(letter) }
        swap(&letters, &mail)
    }

    private mutating func enterPhase() {
        let next = shared.phase.load(ordering: .acquiring)
        guard next != phase else { return }
        phase = next
        // Who waits to be accepted may still be told.
        arrivals = held
        if next == .draining { accept() }
        stopListening()
        while queues.idle.first >= 0 { disconnect(queues.idle.first) }
    }

    private mutating func take(_ descriptor: Int32, _ happened: UInt32) {
        let isGone = happened & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
        // A peer that sends no more has gone, for all that is known: nobody waits for an answer like that.
        let hasLeft = isGone || happened & EPOLLRDHUP.rawValue != 0
        switch table[descriptor].pointee.state {
        case .free: return
        case .parked, .sending:
            if hasLeft { return disconnect(descriptor) }
            if happened & EPOLLIN.rawValue != 0 { table[descriptor].pointee.flags.insert(.hasInput) }
            if happened & EPOLLOUT.rawValue != 0 { sendRest(descriptor) }
        case .idle, .receiving:
            if isGone { return disconnect(descriptor) }
            receive(descriptor)
            if hasLeft { disconnect(descriptor) }
        case .lingering:
            discard(descriptor)
            if hasLeft { disconnect(descriptor) }
        }
    }
}
