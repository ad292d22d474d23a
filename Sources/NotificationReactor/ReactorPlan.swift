/// How many threads a reactor has, and how many connections each holds, under a limit of open files.
struct ReactorPlan: Hashable {
    /// Files that a process has open besides the connections, when all threads share its table.
    static let reserve = 512
    /// Connections of each thread beyond its polls: for questions about health, refusals and lingering peers.
    static let spare = 64

    /// How many threads there are.
    let threads: Int
    /// Whether each has a file table of its own.
    let ownsTables: Bool
    /// The most polls that a thread parks.
    let polls: Int
    /// How many threads accept connections at one time, the others waiting until those are full.
    let active: Int
    /// How many listening sockets there are, so that a crowd finds queues that are long enough.
    let listeners: Int
    /// The most connections of a thread.
    var connections: Int { polls + Self.spare }

    /// Plans for a capacity under a limit of open files.
    /// - Throws: ``ReactorError``.
    init(capacity: Int, threads wanted: Int, files limit: Int, processors: Int) throws(ReactorError) {
        let wanted = min(max(1, wanted), PollOwner.maximumLoops)
        let shares = Self.share(of: capacity, threads: wanted)
        if (shares + Self.spare) * wanted + Self.reserve <= limit {
            (threads, ownsTables, polls) = (wanted, false, shares)
            (active, listeners) = (wanted, wanted)
            return
        }
        for count in wanted...PollOwner.maximumLoops {
            let share = Self.share(of: capacity, threads: count)
            let active = min(count, max(wanted, processors))
            let listeners = min(count, max(active, 8))
            // Its epoll, the standard streams, the listeners, and the mailboxes of all.
            if share + Self.spare + count + listeners + 8 <= limit {
                (threads, ownsTables, polls) = (count, true, share)
                (self.active, self.listeners) = (active, listeners)
                return
            }
        }
        guard limit > Self.spare + PollOwner.maximumLoops + 16 else { throw .tooFewFiles(limit) }
        throw .tooManyThreads((capacity + limit - 1) / limit)
    }

    /// The kernel deals connections out by a hash, so some threads get a few more than others: five times the deviation
    /// is kept free for that.
    private static func share(of capacity: Int, threads: Int) -> Int {
        guard threads > 1 else { return capacity }
        let even = (capacity + threads - 1) / threads
        return even + Int(5 * Double(even).squareRoot()) + 1
    }
}
