import GRDB
import GRDBSQLite
import Metadata

/// What SQLite says, in the words of the port.
enum SQLiteErrors {
    // SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_PRIMARYKEY, which their header makes of other macros.
    private static let uniqueConstraint = SQLITE_CONSTRAINT | 8 << 8
    private static let keyConstraint = SQLITE_CONSTRAINT | 6 << 8

    /// The error for an extended result code of SQLite, with what SQLite said of it.
    static func error(code: Int32, message: String, path: String) -> MetadataError {
        let cause = "SQLite: \(message) (\(code))"
        switch code & 0xFF {
        case SQLITE_CONSTRAINT:
            let isKey = code == uniqueConstraint || code == keyConstraint
            return isKey
                ? MetadataError(.alreadyExists, "a row with that key is in \(path) already", cause: cause)
                : MetadataError(.constraint, "the row breaks a rule of \(path)", cause: cause)
        case SQLITE_MISMATCH, SQLITE_TOOBIG, SQLITE_RANGE:
            return MetadataError(.constraint, "the row does not fit into \(path)", cause: cause)
        case SQLITE_FULL:
            return MetadataError(.full, "there is no room left for the database \(path)", cause: cause)
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            return MetadataError(.corrupt, "the database \(path) is damaged, or is no database", cause: cause)
        case SQLITE_BUSY, SQLITE_LOCKED:
            return MetadataError(.busy, "another process holds the database \(path)", cause: cause)
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH, SQLITE_READONLY, SQLITE_MISUSE:
            return MetadataError(
                .unavailable, "the database \(path) can't be opened for reading and writing", cause: cause)
        default:
            return MetadataError(.io, "the database \(path) can't be read or written", cause: cause)
        }
    }

    /// The same error, or its translation when GRDB threw it.
    static func translated(_ error: any Error, path: String) -> any Error {
        guard let error = error as? DatabaseError else { return error }
        return self.error(
            code: error.extendedResultCode.rawValue, message: error.message ?? "no message", path: path)
    }

    /// The error that a connection has just met.
    static func last(of connection: SQLiteConnection, code: Int32, path: String) -> MetadataError {
        let message = sqlite3_errmsg(connection).map { String(cString: $0) } ?? "no message"
        return error(code: sqlite3_extended_errcode(connection), message: message, path: path)
    }
}
