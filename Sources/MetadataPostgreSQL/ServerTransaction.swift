import CPQ
import Metadata

/// One transaction on a connection, from its first statement to its end, and what has become of it.
///
/// PostgreSQL gives a transaction up when one of its statements fails, but the port promises that the body may go on. Nearly
/// all bodies end by such an error, so nothing is done for the others at first: when a body does go on, the transaction
/// is done again with a savepoint around each statement.
final class ServerTransaction {
    /// What has become of it.
    enum Fate: Equatable {
        /// All is well.
        case sound
        /// A statement failed, and nothing can be done any more but to give it up.
        case failed
        /// The same, and the body went on.
        case failureIgnored
        /// Others got in its way.
        case conflict(ServerError)
        /// The connection is of no more use for it.
        case lost(String)
    }

    /// What has become of it.
    private(set) var fate = Fate.sound
    /// How often others may be in the way of a write before it is done while no other runs.
    static let conflictsUntilAlone = 3

    private let link: ServerLink
    private var statements: StatementCache
    private let kind: TransactionKind
    private let usesSavepoints: Bool
    private let isAlone: Bool
    private let settings: PostgreSQLSettings
    private let database: String
    private var hasBegun = false

    init(
        of call: any PoolCall, on link: ServerLink, _ statements: StatementCache, _ settings: PostgreSQLSettings,
        database: String
    ) {
        self.link = link
        self.statements = statements
        kind = call.kind
        usesSavepoints = call.usesSavepoints
        isAlone = call.conflicts >= Self.conflictsUntilAlone
        self.settings = settings
        self.database = database
    }

    /// The prepared statements, for the next transaction on the connection.
    var keptStatements: StatementCache { statements }

    // MARK: Statements

    /// Runs a statement once for each row of a batch, and answers with what each gave.
    /// - Throws: ``MetadataError``.
    func run(_ sql: String, _ batch: ParameterBatch) throws -> [Answer.Outcome] {
        switch fate {
        case .sound: break
        case .failed, .failureIgnored:
            fate = .failureIgnored
            throw MetadataError(.io, "the transaction on \(database) was ended by a failure before")
        case .conflict(let error): throw error.translated(database)
        case .lost(let cause): throw unavailable(cause)
        }
        if !usesSavepoints { return try runOnce(sql, batch) }
        // Each row by itself: those before the one that fails have taken effect.
        return try batch.rows.flatMap { row in
            var single = ParameterBatch()
            _ = single.add(row)
            return try runOnce(sql, single)
        }
    }

    private func runOnce(_ sql: String, _ batch: ParameterBatch) throws -> [Answer.Outcome] {
        let lookup = statements.lookUp(sql, batch.types)
        var commands: [LinkCommand] = hasBegun ? [] : kind.beginning(isAlone: isAlone).map { .text($0) }
        let beginning = commands.count
        commands += lookup.evicted.map { .text("DEALLOCATE \($0)") }
        if usesSavepoints { commands.append(.text("SAVEPOINT statement")) }
        if lookup.isNew { commands.append(.prepare(name: lookup.entry.name, sql: sql, types: lookup.entry.types)) }
        let prepared = commands.count
        commands += batch.rows.map { .run(name: lookup.entry.name, $0) }
        if usesSavepoints { commands.append(.text("RELEASE SAVEPOINT statement")) }
        let answers = try exchange(commands, firstWithin: hasBegun ? nil : settings.beginDeadline)
        let failure = answers.enumerated().first { if case .refused = $1 { true } else { false } }
        if let failure, case .refused(let error) = failure.element {
            if lookup.isNew, failure.offset < prepared { statements.forget(lookup.entry, sql) }
            try refuse(error, isBeginning: failure.offset < beginning)
        }
        hasBegun = true
        guard link.isInTransaction else {
            // Somebody's statement ended it; what followed would be outside of any.
            fate = .failed
            throw MetadataError(.io, "a statement ended the transaction on \(database)")
        }
        return answers[prepared..<prepared + batch.rows.count].map {
            if case .done(let outcome) = $0 { outcome } else { Answer.Outcome() }
        }
    }

    /// Takes note of what the server refused.
    /// - Throws: the error in the words of the port, always.
    private func refuse(_ error: ServerError, isBeginning: Bool) throws -> Never {
        if error.isConflict || isBeginning && error.isLockTimeout {
            fate = .conflict(error)
        } else if isBeginning && error.refusesTransaction || kind != .read && error.isReadOnly || error.isStaleStatement
        {
            fate = .lost(error.message)
        } else if usesSavepoints && !isBeginning {
            hasBegun = true
            let answers = try exchange([.text("ROLLBACK TO SAVEPOINT statement"), .text("RELEASE SAVEPOINT statement")])
            if answers.contains(where: { if case .done = $0 { false } else { true } }) { fate = .failed }
        } else {
            fate = .failed
        }
        throw error.translated(database)
    }

    private func exchange(_ commands: [LinkCommand], firstWithin limit: Duration? = nil) throws -> [Answer] {
        do {
            // The server ends a statement that takes too long; who does not even do that is gone.
            let deadline = kind.statementDeadline(settings) + .seconds(1)
            return try link.exchange(commands, within: deadline, firstWithin: limit)
        } catch let lost as LinkLost {
            fate = .lost(lost.cause)
            throw unavailable(lost.cause)
        } catch {
            fate = .failed
            throw error
        }
    }

    private func unavailable(_ cause: String) -> MetadataError {
        MetadataError(.unavailable, "the connection to the database \(database) was lost", cause: cause)
    }

    // MARK: Ends

    /// Makes what was written durable and visible.
    /// - Returns: nil when it is; otherwise why not. When ``fate`` is still sound then, it is not known whether it is.
    func commit() -> MetadataError? {
        guard hasBegun else { return nil }
        _ = link.takeWarnings()
        do {
            let answers = try link.exchange([.text("COMMIT")], within: commitDeadline)
            let warnings = link.takeWarnings()
            switch answers.first {
            case .done(let outcome) where outcome.tag == "COMMIT":
                // Such as: the wait for the standby was cancelled, and it may not have what was written.
                return warnings.isEmpty ? nil : unknown(warnings.joined(separator: "; "))
            case .refused(let error):
                fate = error.isConflict ? .conflict(error) : .failed
                return error.translated(database)
            default:
                fate = .failed
                return MetadataError(.io, "the transaction on \(database) was rolled back at its commit")
            }
        } catch let lost as LinkLost {
            return unknown(lost.cause)
        } catch {
            return unknown("\(error)")
        }
    }

    private var commitDeadline: Duration {
        kind == .migration ? kind.statementDeadline(settings) : settings.commitDeadline
    }

    private func unknown(_ cause: String) -> MetadataError {
        MetadataError(
            .io, "it is not known whether a write took place: the database \(database) did not confirm it",
            cause: cause)
    }

    /// Gives the transaction up.
    /// - Returns: whether the connection may be used again.
    func rollBack() -> Bool {
        if case .lost = fate { return false }
        guard hasBegun || fate != .sound else { return true }
        // Without a transaction, the server only warns.
        let answers = try? link.exchange([.text("ROLLBACK")], within: settings.beginDeadline)
        _ = link.takeWarnings()
        guard case .done? = answers?.first else { return false }
        return true
    }
}
