import CPQ
import Metadata

/// What became of one command.
enum Answer {
    /// It was done.
    case done(Outcome)
    /// The server refused it.
    case refused(ServerError)
    /// One before it was refused.
    case skipped

    /// What a command that was done has given.
    struct Outcome {
        /// The rows that it answered with.
        var rows: [SQLRow] = []
        /// How many rows it changed or found.
        var count = 0
        /// What it did: `COMMIT`, `INSERT 0 1` …
        var tag = ""
    }

    /// Reads a result of libpq, and copies all of it.
    /// - Throws: ``MetadataError`` `corrupt` when a column is of a type that no ``SQLValue`` holds.
    init(_ result: OpaquePointer) throws {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            var outcome = Outcome()
            outcome.rows = try Self.rows(of: result)
            outcome.count = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
            outcome.tag = PQcmdStatus(result).map { String(cString: $0) } ?? ""
            self = .done(outcome)
        case PGRES_PIPELINE_ABORTED: self = .skipped
        default: self = .refused(ServerError(result))
        }
    }

    private static func rows(of result: OpaquePointer) throws -> [SQLRow] {
        let columns = (0..<PQnfields(result)).map { PQftype(result, $0) }
        let count = PQntuples(result)
        var rows: [SQLRow] = []
        rows.reserveCapacity(Int(count))
        for row in 0..<count {
            var values: [SQLValue] = []
            values.reserveCapacity(columns.count)
            for (index, type) in columns.enumerated() {
                values.append(try value(result, row, Int32(index), type))
            }
            rows.append(SQLRow(values))
        }
        return rows
    }

    private static func value(_ result: OpaquePointer, _ row: Int32, _ column: Int32, _ type: Oid) throws -> SQLValue {
        if PQgetisnull(result, row, column) != 0 { return .null }
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
        guard let value = decoded(bytes, type) else {
            throw MetadataError(
                .corrupt, "column \(column) of a row is of PostgreSQL's type \(type), with \(bytes.count) bytes")
        }
        return value
    }

    /// A value in PostgreSQL's binary form; nil for a type that is not known here, or a length that is not the type's.
    static func decoded(_ bytes: UnsafeRawBufferPointer, _ type: Oid) -> SQLValue? {
        switch (type, bytes.count) {
        // bytea
        case (17, _): return .blob([UInt8](bytes))
        // int8, int4, int2
        case (20, 8): return .integer(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
        case (23, 4): return .integer(Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))))
        case (21, 2): return .integer(Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self))))
        // bool
        case (16, 1): return .integer(bytes[0] == 0 ? 0 : 1)
        // text, varchar, bpchar, name, and a literal of which nothing is known
        case (25, _), (1043, _), (1042, _), (19, _), (705, _): return .text(String(decoding: bytes, as: UTF8.self))
        // oid
        case (26, 4): return .integer(Int64(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))))
        // void, as of functions that only do something
        case (2278, _): return .null
        default: return nil
        }
    }
}
