import GRDB
import Model

/// Something that keeps a part of the folder from being in sync, for people to read.
struct Problem: Hashable, Sendable {
    /// Where, below the linked folder.
    let path: LocalPath
    let code: ClientError.Code
    /// The whole sentence, naming the thing.
    let message: String

    init(path: LocalPath, code: ClientError.Code, message: String) {
        self.path = path
        self.code = code
        self.message = message
    }

    init(path: LocalPath, _ error: ClientError) {
        self.init(path: path, code: error.code, message: error.message)
    }
}

/// A problem with the times it was first and last met.
struct StoredProblem: Hashable, Sendable {
    let problem: Problem
    let since: Timestamp
    let seen: Timestamp
}

/// A conflict that was resolved by keeping both.
struct StoredConflict: Hashable, Sendable {
    /// The path that both wanted.
    let path: LocalPath
    /// Where the other one was kept.
    let kept: LocalPath
    let time: Timestamp
}

/// What `status` shows of one link: problems and conflicts.
struct StatusQueries {
    let connection: Database
    let link: LinkID

    init(_ connection: Database, link: LinkID) {
        self.connection = connection
        self.link = link
    }

    /// Notes that problems were met; those met before keep their first time.
    func note(_ problems: some Sequence<Problem>, at time: Timestamp) throws {
        let query = try PreparedQuery(
            """
            INSERT INTO problem (link, path, code, message, since, seen) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (link, path) DO UPDATE SET code = excluded.code, message = excluded.message,
            seen = excluded.seen, since = CASE WHEN code = excluded.code THEN since ELSE excluded.since END
            """, on: connection)
        for problem in problems {
            query.bind(1, link)
            query.bind(2, problem.path.bytes)
            query.bind(3, problem.code.rawValue)
            query.bind(4, problem.message)
            query.bind(5, time.nanoseconds)
            query.bind(6, time.nanoseconds)
            try query.run()
        }
    }

    /// Forgets the problems that were not met since a moment: a pass that began then did without them.
    func dropProblems(before time: Timestamp) throws {
        let query = try PreparedQuery("DELETE FROM problem WHERE link = ? AND seen < ?", on: connection)
        query.bind(1, link)
        query.bind(2, time.nanoseconds)
        try query.run()
    }

    /// Forgets the problem of one path.
    func dropProblem(at path: LocalPath) throws {
        let query = try PreparedQuery("DELETE FROM problem WHERE link = ? AND path = ?", on: connection)
        query.bind(1, link)
        query.bind(2, path.bytes)
        try query.run()
    }

    func problems() throws -> [StoredProblem] {
        let query = try PreparedQuery(
            "SELECT path, code, message, since, seen FROM problem WHERE link = ? ORDER BY path", on: connection)
        query.bind(1, link)
        return try query.all { row in
            StoredProblem(
                problem: Problem(
                    path: LocalPath(bytes: row.bytes(0)), code: ClientError.Code(rawValue: row.text(1)),
                    message: row.text(2)),
                since: Timestamp(nanoseconds: row.integer(3)), seen: Timestamp(nanoseconds: row.integer(4)))
        }
    }

    /// How many conflicts are remembered.
    static let conflictLimit = 1000

    func note(_ conflict: StoredConflict) throws {
        let query = try PreparedQuery(
            "INSERT INTO conflict (link, path, kept, time) VALUES (?, ?, ?, ?)", on: connection)
        query.bind(1, link)
        query.bind(2, conflict.path.bytes)
        query.bind(3, conflict.kept.bytes)
        query.bind(4, conflict.time.nanoseconds)
        try query.run()
        let trim = try PreparedQuery("DELETE FROM conflict WHERE id <= ?", on: connection)
        trim.bind(1, connection.lastInsertedRowID - Int64(Self.conflictLimit))
        try trim.run()
    }

    /// The newest conflicts, newest first.
    func conflicts(limit: Int) throws -> [StoredConflict] {
        let query = try PreparedQuery(
            "SELECT path, kept, time FROM conflict WHERE link = ? ORDER BY id DESC LIMIT ?", on: connection)
        query.bind(1, link)
        query.bind(2, Int64(limit))
        return try query.all { row in
            StoredConflict(
                path: LocalPath(bytes: row.bytes(0)), kept: LocalPath(bytes: row.bytes(1)),
                time: Timestamp(nanoseconds: row.integer(2)))
        }
    }
}
