/// The kinds of transactions, and how each begins.
enum TransactionKind: Hashable, Sendable {
    /// One state of the database.
    case read
    /// As if alone.
    case write
    /// A step of the schema; of several that come at once, each sees what the one before it has done.
    case migration

    /// The key of the lock that those who change the schema take: `cairn` in ASCII.
    private static let schemaLock = 0x63_6169_726E

    /// The statements with which it begins.
    ///
    /// That a write is not named `READ WRITE` is on purpose: a server that was told to take none should say so. Every write
    /// takes a lock that only keeps those out that ask to be alone. `LOCK TABLE` comes before the transaction's view of
    /// the database is taken, so whoever gets it alone sees all that others wrote, and nobody gets in the way any more.
    /// - Parameter isAlone: Whether no other write may run at the same time, of this process or of another.
    /// - Returns: the statements, in order.
    func beginning(isAlone: Bool) -> [String] {
        switch self {
        case .read: ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"]
        case .write where isAlone:
            [
                "BEGIN ISOLATION LEVEL SERIALIZABLE", "SET LOCAL lock_timeout = '2s'",
                "LOCK TABLE schema_version IN EXCLUSIVE MODE", "SET LOCAL lock_timeout = 0",
            ]
        case .write: ["BEGIN ISOLATION LEVEL SERIALIZABLE", "LOCK TABLE schema_version IN ROW SHARE MODE"]
        case .migration:
            [
                "BEGIN ISOLATION LEVEL READ COMMITTED", "SET LOCAL statement_timeout = 0",
                "SET LOCAL idle_in_transaction_session_timeout = 0",
                "SELECT pg_advisory_xact_lock(\(Self.schemaLock))",
            ]
        }
    }

    /// The longest that one of its statements may take. Steps of the schema may rewrite large tables.
    func statementDeadline(_ settings: PostgreSQLSettings) -> Duration {
        self == .migration ? .seconds(24 * 3600) : settings.statementDeadline
    }
}
