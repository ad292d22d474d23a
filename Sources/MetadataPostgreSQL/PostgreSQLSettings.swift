/// How a database of a PostgreSQL server is used: the bounds of what is open, of what waits, and for how long.
public struct PostgreSQLSettings: Sendable, Hashable {
    /// How many connections are open at most; each has a thread. Reads and writes each leave some to the other.
    public var connections: Int
    /// How many calls may wait for a connection; those that come beyond fail as `busy`.
    public var waitingCalls: Int
    /// For how long a call waits for a server that takes writes, and how long it goes on repeating itself when others'
    /// writes get in its way.
    public var patience: Duration
    /// The longest that one statement may take. Whoever takes longer is let go of, here and on the server.
    public var statementDeadline: Duration
    /// The longest that a commit may take: it also waits for a synchronous standby, which may be gone.
    public var commitDeadline: Duration
    /// The longest that a server may take to begin a transaction. That needs no lock: who does not do it at once is dead.
    public var beginDeadline: Duration

    /// Makes settings of their parts. There is at least one connection, and room for one call.
    public init(
        connections: Int = 8, waitingCalls: Int = 4096, patience: Duration = .seconds(10),
        statementDeadline: Duration = .seconds(20), commitDeadline: Duration = .seconds(10),
        beginDeadline: Duration = .seconds(3)
    ) {
        precondition(connections > 0 && waitingCalls > 0, "a pool needs a connection and room for a call")
        self.connections = connections
        self.waitingCalls = waitingCalls
        self.patience = patience
        self.statementDeadline = statementDeadline
        self.commitDeadline = commitDeadline
        self.beginDeadline = beginDeadline
    }
}
