import CPQ
import Metadata

/// A connection that is set up, with what it has prepared.
final class ServerSession {
    private let link: ServerLink
    private let settings: PostgreSQLSettings
    private let database: String
    private var statements = StatementCache()

    /// Whether the connection is of no more use, whatever became of the calls on it.
    private(set) var isBroken = false

    /// What became of a try at a call.
    enum Attempt {
        /// The call has its answer.
        case answered
        /// Nothing happened, as others were in the way.
        case conflict(MetadataError)
        /// Nothing happened: the body goes on after failures, and needs a savepoint around each statement.
        case needsSavepoints
        /// Nothing happened: the connection was lost, or leads to a server that takes no writes.
        case lost(String)
    }

    /// Connects, and sets the connection up.
    /// - Throws: ``LinkLost`` when no server could be reached; ``MetadataError`` `incompatible` when it is one that can't
    ///   be used.
    init(_ string: ConnectionString, _ settings: PostgreSQLSettings) throws {
        link = try ServerLink(string)
        self.settings = settings
        database = string.description
        guard link.serverVersion >= 150_000 else {
            throw MetadataError(
                .incompatible,
                "the database \(database) is served by PostgreSQL \(link.serverVersion / 10_000), 15 or newer is needed"
            )
        }
        let encoding = link.parameter("server_encoding") ?? "none"
        guard encoding == "UTF8" else {
            throw MetadataError(.incompatible, "the database \(database) has the encoding \(encoding), UTF8 is needed")
        }
        let answers = try link.exchange(Self.preparation(settings), within: settings.statementDeadline)
        for case .refused(let error) in answers { throw LinkLost(cause: error.message) }
    }

    /// What is set for each connection.
    ///
    /// A plan that goes through a whole small table would lock all of it against every other writer, as the serializable
    /// level sees it; so indexes are used wherever there are any.
    private static func preparation(_ settings: PostgreSQLSettings) -> [LinkCommand] {
        let timeout = max(1, settings.statementDeadline.milliseconds)
        return [
            """
            SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')
                WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)
            """,
            "SET enable_seqscan = off", "SET jit = off", "SET statement_timeout = \(timeout)",
            "SET idle_in_transaction_session_timeout = \(timeout)",
        ].map { .text($0) }
    }

    /// Whether another call may be tried; see ``ServerLink/isUsable()``.
    func isUsable() -> Bool { !isBroken && link.isUsable() }

    /// Tries a call in a transaction of its own.
    func attempt(_ call: any PoolCall) -> Attempt {
        let transaction = ServerTransaction(of: call, on: link, statements, settings, database: database)
        defer { statements = transaction.keptStatements }
        let thrown: (any Error)?
        do {
            try call.attempt(PostgreSQLMetadataConnection(transaction))
            thrown = nil
        } catch { thrown = error }
        switch (transaction.fate, thrown) {
        case (.sound, nil):
            return call.kind == .read ? endRead(call, transaction) : endWrite(call, transaction)
        case (.sound, let error?), (.failed, let error?):
            giveUp(transaction)
            call.fail(error)
            return .answered
        case (.failed, nil), (.failureIgnored, _):
            giveUp(transaction)
            return needsSavepoints(call)
        case (.conflict(let error), _):
            giveUp(transaction)
            return .conflict(error.translated(database))
        case (.lost(let cause), _):
            isBroken = true
            return .lost(cause)
        }
    }

    private func endRead(_ call: any PoolCall, _ transaction: ServerTransaction) -> Attempt {
        // What was read is of one state, however the transaction ends.
        call.succeed()
        giveUp(transaction)
        return .answered
    }

    private func endWrite(_ call: any PoolCall, _ transaction: ServerTransaction) -> Attempt {
        guard let error = transaction.commit() else {
            call.succeed()
            return .answered
        }
        if case .conflict = transaction.fate { return .conflict(error) }
        isBroken = transaction.fate == .sound
        call.fail(error)
        return .answered
    }

    private func needsSavepoints(_ call: any PoolCall) -> Attempt {
        guard call.usesSavepoints else { return .needsSavepoints }
        // A failure that no savepoint heals, as of a statement that ends the transaction.
        call.fail(MetadataError(.io, "the transaction on \(database) was ended by a failure"))
        return .answered
    }

    private func giveUp(_ transaction: ServerTransaction) {
        if !transaction.rollBack() { isBroken = true }
    }
}
