public import Logging
public import Metadata
import Synchronization

/// How the processes of a server share its jobs.
public struct LeaseRules: Sendable {
    /// For how long a process must not have been heard of before another one takes its job: 30 seconds by default.
    public var length = Duration.seconds(30)
    /// Whether no other process can be there: then jobs are taken at once, whoever had them, and held without a sign of life.
    public var isAlone = false
    /// How much time has passed on a clock that is never set, and goes on while the machine sleeps.
    public var elapsed: @Sendable () -> Duration
    /// Waits; ends early, with an error, when its task is cancelled.
    public var pause: @Sendable (Duration) async throws -> Void

    /// Makes rules with the default length.
    public init(
        elapsed: @escaping @Sendable () -> Duration, pause: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.elapsed = elapsed
        self.pause = pause
    }

    /// How often a holder gives a sign of life, and how often the others look for it.
    var interval: Duration { length / 4 }
    /// For how long a holder goes on after its last sign of life was sent: it stops before anybody else may begin.
    var patience: Duration { length * 3 / 4 }
}

/// Lets a job be done by one process at a time.
///
/// The holder raises a number in the database. Whoever has seen no change of it for the lease's length, by its own clock, takes
/// the job over; clocks of different machines are never compared. A process that loses the job, or can't tell for too long
/// whether it still has it, cancels it. Yet a process that was frozen finds that out only when it wakes: a job has to be safe
/// with two holders for that moment, which docs/decisions has the argument for.
public struct HoldLease: Sendable {
    private let database: any MetadataDatabase
    private let name: String
    private let holder: LeaseHolder
    private let rules: LeaseRules
    private let log: Logger

    /// Makes the use case.
    /// - Parameters:
    ///   - name: the job; the same in all processes.
    ///   - holder: this process.
    ///   - database: where it is written down who does what.
    ///   - rules: how jobs are shared.
    ///   - log: where it is told who does what.
    public init(
        _ name: String, by holder: LeaseHolder, database: any MetadataDatabase, rules: LeaseRules, log: Logger
    ) {
        self.name = name
        self.holder = holder
        self.database = database
        self.rules = rules
        self.log = log
    }

    /// Does the job whenever it is this process's turn, until it ends by itself or the task is cancelled. Then the job is given
    /// back, so that another process need not wait.
    /// - Throws: what the job throws, and `CancellationError`.
    public func run(_ job: @escaping @Sendable (Lease) async throws -> Void) async throws {
        while true {
            let (lease, asked) = try await take()
            do {
                let end = try await hold(lease, since: asked, job)
                if end == .job {
                    await release(lease)
                    return
                }
            } catch {
                await release(lease)
                throw error
            }
            log.warning("a job was lost to another process", metadata: ["job": "\(name)", "term": "\(lease.term)"])
        }
    }

    // MARK: Taking

    private func take() async throws -> (lease: Lease, asked: Duration) {
        var watch = LeaseWatch(length: rules.length)
        while true {
            try Task.checkCancellation()
            do {
                let asked = rules.elapsed()
                if let lease = try await look(&watch, at: asked) {
                    log.debug("a job was taken", metadata: ["job": "\(name)", "term": "\(lease.term)"])
                    return (lease, asked)
                }
            } catch {
                if error is CancellationError { throw error }
                log.warning(
                    "it can't be seen who does a job", metadata: ["job": "\(name)", "cause": "\(error)"])
            }
            try await rules.pause(rules.interval)
        }
    }

    private func look(_ watch: inout LeaseWatch, at asked: Duration) async throws -> Lease? {
        let (name, holder) = (name, holder)
        let record = try await database.read { try LeaseQueries($0).record(of: name) }
        let mayTake = watch.mayTake(record, asked: asked, answered: rules.elapsed())
        guard mayTake || rules.isAlone else { return nil }
        return try await database.write { try LeaseQueries($0).take(name, by: holder, after: record) }
    }

    // MARK: Holding

    private enum End: Sendable {
        case job
        case lost
    }

    /// When the last sign of life was sent that the database has taken.
    private final class SignOfLife: Sendable {
        private let state: Mutex<Duration>

        init(_ sent: Duration) { state = Mutex(sent) }

        var sent: Duration {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
    }

    private func hold(
        _ lease: Lease, since asked: Duration, _ job: @escaping @Sendable (Lease) async throws -> Void
    ) async throws -> End {
        if rules.isAlone {
            try await job(lease)
            return .job
        }
        let sign = SignOfLife(asked)
        return try await withThrowingTaskGroup(of: End.self) { group in
            group.addTask {
                try await job(lease)
                return .job
            }
            group.addTask {
                try await beat(lease, sign)
                return .lost
            }
            // Apart from the signs themselves: a question to the database may stay unanswered for any time.
            group.addTask {
                try await outlast(sign)
                return .lost
            }
            let end: End
            do { end = try await group.next() ?? .lost } catch is LeaseLost { end = .lost }
            group.cancelAll()
            // A job that was lost is over before this process may take it again, however it ends.
            if end == .lost { while await group.nextResult() != nil {} }
            return end
        }
    }

    /// Gives signs of life; returns when the job is another process's.
    private func beat(_ lease: Lease, _ sign: SignOfLife) async throws {
        while true {
            try await rules.pause(rules.interval)
            let sent = rules.elapsed()
            do {
                try await database.write { try LeaseQueries($0).beat(lease) }
                sign.sent = sent
            } catch is LeaseLost {
                return
            } catch {
                try Task.checkCancellation()
                log.warning(
                    "no sign of life could be given", metadata: ["job": "\(name)", "cause": "\(error)"])
            }
        }
    }

    /// Returns when it can't be told any more whether the job is still this process's.
    private func outlast(_ sign: SignOfLife) async throws {
        while true {
            let left = sign.sent + rules.patience - rules.elapsed()
            if left <= .zero { return }
            try await rules.pause(left)
        }
    }

    /// Gives the job back. When that fails, the next process waits for the lease's length.
    private func release(_ lease: Lease) async {
        // In a task of its own, which is waited for: the one that ends may be cancelled.
        await Task { [database, log] in
            do {
                try await database.write { try LeaseQueries($0).release(lease) }
            } catch {
                log.warning(
                    "a job could not be given back", metadata: ["job": "\(lease.name)", "cause": "\(error)"])
            }
        }.value
    }
}
