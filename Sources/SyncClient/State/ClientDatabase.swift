import GRDB
import Model
import Synchronization

/// An open look at the state, for the queries of this folder: what others know of the database.
typealias StateConnection = Database

/// Everything the client remembers between two runs, in one SQLite file.
///
/// The write-ahead log is synced at checkpoints only (`synchronous = NORMAL`): a power cut may take the last
/// transactions back, always as a suffix, never a part of one. That is enough here, because cursor, overlays and
/// synced tree go back *together*, to a moment that was true, and what lies on the disk and on the server is then met
/// again as a change that both sides have made, which the planner settles without a copy. Two things need more:
///
/// - A file must be durable before a row calls it synced. The applier syncs the files before it writes the rows; the
///   log may then lag behind the files, never the other way round.
/// - A command that told its user "linked" must still have linked after a power cut: ``writeDurably(_:)``.
final class ClientDatabase: Sendable {
    private let queue: DatabaseQueue
    /// How many callers read much at a time just now: see ``readingMuch(_:)``.
    private let readers = Mutex(0)
    /// Where the file is, for messages.
    let path: String

    /// Opens the state, making it or bringing it up to date where needed.
    /// - Throws: ``ClientError`` with `stateTooNew` when a newer client wrote it, `stateCorrupt` when it can't be read.
    init(path: String) throws {
        self.path = path
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(10)
        configuration.label = "cairn.state"
        // A read may stay open from one call to the next.
        configuration.allowsUnsafeTransactions = true
        configuration.prepareDatabase { connection in
            // 16 MiB of pages, whatever the size of the tree: the bound on what the state costs in memory.
            try connection.execute(sql: "PRAGMA cache_size = -16384")
            try connection.execute(sql: "PRAGMA synchronous = NORMAL")
            try connection.execute(sql: "PRAGMA wal_autocheckpoint = 2000")
        }
        queue = try Self.translating(path) { try DatabaseQueue(path: path, configuration: configuration) }
        try Self.translating(path) { try queue.writeWithoutTransaction { try Schema.migrate($0, path: path) } }
    }

    /// Reads. Calls of one database follow each other, so `body` sees one state; it must not block for long.
    func read<Answer>(_ body: (Database) throws -> Answer) throws -> Answer {
        try Self.translating(path) {
            try queue.unsafeRead { connection in
                if readers.withLock({ $0 }) > 0, !connection.isInsideTransaction {
                    try connection.beginTransaction(.deferred)
                }
                return try body(connection)
            }
        }
    }

    /// Has the reads of a body share one look at the file, up to the next write: thousands of small reads need not lock
    /// it and let it go again each.
    func readingMuch<Answer>(_ body: () throws -> Answer) throws -> Answer {
        readers.withLock { $0 += 1 }
        let outcome = Result { try body() }
        readers.withLock { $0 -= 1 }
        try Self.translating(path) { try queue.unsafeRead { try Self.endReading($0) } }
        return try outcome.get()
    }

    private static func endReading(_ connection: Database) throws {
        if connection.isInsideTransaction { try connection.commit() }
    }

    /// Writes in one transaction: all of it or, when `body` throws, nothing.
    func write<Answer>(_ body: (Database) throws -> Answer) throws -> Answer {
        try Self.translating(path) {
            try queue.writeWithoutTransaction { connection in
                try Self.endReading(connection)
                return try Self.transaction(connection, body)
            }
        }
    }

    /// Writes in one transaction that no power cut takes back.
    func writeDurably<Answer>(_ body: (Database) throws -> Answer) throws -> Answer {
        try Self.translating(path) {
            try queue.writeWithoutTransaction { connection in
                try Self.endReading(connection)
                // The level can't be changed within a transaction.
                try connection.execute(sql: "PRAGMA synchronous = FULL")
                let outcome = Result { try Self.transaction(connection, body) }
                try connection.execute(sql: "PRAGMA synchronous = NORMAL")
                return try outcome.get()
            }
        }
    }

    /// Closes the file. Later calls throw.
    func close() throws {
        try Self.translating(path) { try queue.close() }
    }

    private static func transaction<Answer>(
        _ connection: Database, _ body: (Database) throws -> Answer
    ) throws -> Answer {
        var answer: Answer?
        try connection.inTransaction(.immediate) {
            answer = try body(connection)
            return .commit
        }
        guard let answer else { throw ClientError(.io, "a transaction of the state ended without an answer") }
        return answer
    }

    /// Gives the errors of the database a name and the file they concern.
    private static func translating<Answer>(_ path: String, _ body: () throws -> Answer) throws -> Answer {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw ClientError(state: error.resultCode.rawValue, path: path, detail: error.message ?? "unknown")
        }
    }
}

extension ClientError {
    /// The error of a call into SQLite, by its result code.
    init(state result: Int32, path: String, detail: String) {
        let code: Code =
            switch ResultCode(rawValue: result) {
            case .SQLITE_FULL: .diskFull
            case .SQLITE_READONLY: .readOnly
            case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: .permissionDenied
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .stateCorrupt
            default: .io
            }
        self.init(code, "the client's state '\(path)': \(detail)")
    }
}
