import CPQ
import PostgreSQLSupport

/// A connection beside the adapter's own, without transactions: it makes databases, looks, and disturbs.
final class DirectConnection {
    private let raw: OpaquePointer?

    init(_ string: String) throws {
        raw = PQconnectdb(string)
        PQsetNoticeReceiver(raw, { _, _ in }, nil)
        guard PQstatus(raw) == CONNECTION_OK else {
            throw PostgresFailure(description: PQerrorMessage(raw).map { String(cString: $0) } ?? "no connection")
        }
    }

    deinit {
        PQfinish(raw)
    }

    /// Runs a statement, and answers with the rows as text; empty for nothing.
    @discardableResult
    func run(_ sql: String) throws -> [[String]] {
        let result = PQexec(raw, sql)
        defer { PQclear(result) }
        guard [PGRES_COMMAND_OK, PGRES_TUPLES_OK].contains(PQresultStatus(result)) else {
            throw PostgresFailure(
                description: "\(sql): \(PQresultErrorMessage(result).map { String(cString: $0) } ?? "")")
        }
        return (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { PQgetvalue(result, row, $0).map { String(cString: $0) } ?? "" }
        }
    }

    /// The first value of the first row.
    func value(_ sql: String) throws -> String { try run(sql).first?.first ?? "" }

    /// Asks again until the first value is `wanted`: the server has nothing that tells of it. Others get their turn between
    /// two questions.
    func wait(for sql: String, toBe wanted: String) async throws {
        let start = ContinuousClock.now
        while try value(sql) != wanted {
            if ContinuousClock.now - start > .seconds(60) {
                throw PostgresFailure(description: "\(sql) did not become \(wanted)")
            }
            try run("SELECT pg_sleep(0.01)")
            await Task.yield()
        }
    }
}
