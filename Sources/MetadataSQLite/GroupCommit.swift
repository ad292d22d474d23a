import GRDB
import Metadata

/// Puts writes that arrive close together into one transaction, so that they share one sync of the disk.
///
/// While a transaction runs and is made durable, writes queue up; the next transaction takes them all, up to a bound.
/// Each body runs within a savepoint, so one that throws undoes itself alone. Nobody is answered before the
/// transaction is durable. When the transaction as a whole fails, each of its writes is tried again by itself: so an
/// error reaches the write it belongs to, and no other.
struct GroupCommit {
    /// The most writes in one transaction.
    static let maximumWrites = 128
    /// A transaction that has changed so many rows takes no further writes: the first in it should not wait long.
    static let maximumRows = 20_000

    private let queue: WriteQueue
    private let path: String

    init(_ queue: WriteQueue, path: String) {
        self.queue = queue
        self.path = path
    }

    /// Works the queue off, until nothing waits. Runs on the queue of the one connection that writes.
    func run(_ database: Database) {
        while let first = queue.takeOrStop() {
            commit(startingWith: first, database)
        }
    }

    private func commit(startingWith first: any GroupedWrite, _ database: Database) {
        do {
            try control("BEGIN IMMEDIATE", database)
        } catch {
            // Whatever keeps this one out keeps out all who wait; trying each would make the last wait for ever.
            let error = SQLiteErrors.translated(error, path: path)
            first.fail(error)
            while let other = queue.take() { other.fail(error) }
            return
        }
        var tried: [any GroupedWrite] = []
        var failed: [(any GroupedWrite, any Error)] = []
        let rowsBefore = database.totalChangesCount
        var next: (any GroupedWrite)? = first
        do {
            while let write = next {
                tried.append(write)
                if let error = try attempt(write, database) {
                    tried.removeLast()
                    failed.append((write, error))
                }
                let isFull =
                    tried.count + failed.count >= Self.maximumWrites
                    || database.totalChangesCount - rowsBefore >= Self.maximumRows
                next = isFull ? nil : queue.take()
            }
            try control("COMMIT", database)
        } catch {
            rollBack(database)
            retry(tried, after: error, database)
            tried = []
        }
        for write in tried { write.succeed() }
        for (write, error) in failed { write.fail(error) }
    }

    /// Tries a write within a savepoint.
    /// - Returns: what the body threw, when that undid nothing but the body.
    /// - Throws: when the whole transaction is lost.
    private func attempt(_ write: any GroupedWrite, _ database: Database) throws -> (any Error)? {
        try control("SAVEPOINT body", database)
        do {
            try write.attempt(SQLiteMetadataConnection(database, path: path))
        } catch {
            // A full or failing disk may have ended the transaction, and with it the savepoint.
            guard database.isInsideTransaction else { throw error }
            try control("ROLLBACK TO body", database)
            try control("RELEASE body", database)
            return SQLiteErrors.translated(error, path: path)
        }
        try control("RELEASE body", database)
        return nil
    }

    /// Tries each write of a lost transaction in one of its own; the only one of a transaction is answered with why.
    private func retry(_ writes: [any GroupedWrite], after error: any Error, _ database: Database) {
        if writes.count == 1 {
            writes[0].fail(SQLiteErrors.translated(error, path: path))
            return
        }
        for write in writes {
            do {
                try control("BEGIN IMMEDIATE", database)
                try write.attempt(SQLiteMetadataConnection(database, path: path))
                try control("COMMIT", database)
                write.succeed()
            } catch {
                rollBack(database)
                write.fail(SQLiteErrors.translated(error, path: path))
            }
        }
    }

    private func rollBack(_ database: Database) {
        // A rollback that fails leaves nothing to roll back: SQLite has done it.
        if database.isInsideTransaction { try? control("ROLLBACK", database) }
    }

    /// Runs one of the few statements that begin and end things. Nobody observes the transactions, so they need not go
    /// through what GRDB does for observers.
    private func control(_ sql: String, _ database: Database) throws {
        let statement = try SQLiteStatementRun(try database.cachedStatement(sql: sql), of: sql, database, path: path)
        defer { statement.reset() }
        while try statement.step() {}
    }
}
