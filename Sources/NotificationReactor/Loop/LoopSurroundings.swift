import Blocks
import Model
import Notifications
import Synchronization

/// What the loops of a reactor share. All of it may be used on any thread.
final class LoopSurroundings: Sendable {
    /// How far a reactor is in its life.
    enum Phase: UInt8, AtomicRepresentable {
        case running
        /// No connection is accepted any more, and each ends with its answer.
        case draining
        /// Whatever is open is closed.
        case stopped
    }

    let configuration: ReactorConfiguration
    let plan: ReactorPlan
    let desk: PollDesk
    let driver: DriverID
    let keys: [UInt32: TokenKey]
    let clock: any WallClock
    /// Seconds since any fixed moment, which no change of the wall clock moves.
    let seconds: @Sendable () -> UInt32
    let mailboxes: [Mailbox]
    let records: [LoopRecord]
    /// Which loop accepts what.
    let turns: AcceptTurns
    /// Through which loops go to the desk.
    let gate = DeskGate()
    let phase = Atomic(Phase.running)

    init(
        _ configuration: ReactorConfiguration, _ plan: ReactorPlan, desk: PollDesk, keys: [UInt32: TokenKey],
        clock: any WallClock, seconds: @escaping @Sendable () -> UInt32
    ) throws(ReactorError) {
        (self.configuration, self.plan, self.desk, self.keys) = (configuration, plan, desk, keys)
        (self.clock, self.seconds) = (clock, seconds)
        var made: [Mailbox] = []
        for _ in 0..<plan.threads { made.append(try Mailbox()) }
        let mailboxes = made
        self.mailboxes = mailboxes
        records = mailboxes.map { _ in LoopRecord() }
        turns = AcceptTurns(listeners: plan.listeners, active: plan.active)
        driver = desk.register { ended in Self.deal(ended, to: mailboxes) }
    }

    /// Moves on to a phase; there is no way back.
    func enter(_ next: Phase) {
        if phase.load(ordering: .acquiring).rawValue < next.rawValue { phase.store(next, ordering: .releasing) }
        pokeAll()
    }

    /// Makes every loop go round once.
    func pokeAll() {
        for mailbox in mailboxes { mailbox.poke() }
    }

    /// The counts of all loops together.
    var counts: LoopCounts { records.reduce(LoopCounts()) { $0 + $1.last } }

    /// Puts each end into the mailbox of the loop whose poll it is, a run of neighbours at a time.
    private static func deal(_ ended: [NotificationHub.Ended], to mailboxes: [Mailbox]) {
        var start = 0
        while start < ended.count {
            let loop = PollOwner(number: ended[start].owner).loop
            var end = start + 1
            while end < ended.count, PollOwner(number: ended[end].owner).loop == loop { end += 1 }
            mailboxes[loop].post(ended[start..<end])
            start = end
        }
    }
}
