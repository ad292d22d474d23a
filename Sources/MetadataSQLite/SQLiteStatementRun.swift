import GRDB
import GRDBSQLite
import Metadata
import Synchronization

/// One use of a prepared statement: bind, step, read, reset.
struct SQLiteStatementRun {
    private let statement: OpaquePointer
    private let connection: SQLiteConnection
    private let path: String
    /// For each parameter of the statement, in SQLite's order, the place of its value: SQLite numbers `$2`, `$1` as
    /// they appear, by their names.
    private let order: [Int]

    init(_ cached: Statement, of sql: String, _ database: Database, path: String) throws {
        guard let connection = database.sqliteConnection else {
            throw MetadataError(.unavailable, "the database \(path) is closed")
        }
        self.connection = connection
        self.path = path
        statement = cached.sqliteStatement
        order = try Self.order(of: statement, sql)
    }

    /// The orders of the statements that were used, by their texts: SQLite finds a name by going through all before it,
    /// which for a statement of 256 parameters takes longer than to run it.
    private static let orders = Mutex<[String: [Int]]>([:])
    /// How many texts are kept: more than callers use.
    private static let mostOrders = 1_000

    private static func order(of statement: OpaquePointer, _ sql: String) throws -> [Int] {
        if let known = orders.withLock({ $0[sql] }) { return known }
        let order = try (0..<sqlite3_bind_parameter_count(statement)).map { index in
            guard let place = place(sqlite3_bind_parameter_name(statement, index + 1)) else {
                throw MetadataError(.constraint, "a parameter of a statement is not named $1, $2 …")
            }
            return place
        }
        orders.withLock { orders in
            if orders.count >= mostOrders { orders.removeAll() }
            orders[sql] = order
        }
        return order
    }

    /// 0 for the name `$1`, 1 for `$2` …; nil for any other name.
    private static func place(_ name: UnsafePointer<CChar>?) -> Int? {
        guard var digit = name, digit[0] == CChar(bitPattern: UInt8(ascii: "$")) else { return nil }
        var number = 0
        digit += 1
        while digit[0] != 0 {
            let value = Int(digit[0]) - Int(UInt8(ascii: "0"))
            guard (0...9).contains(value), number < 100_000 else { return nil }
            number = number * 10 + value
            digit += 1
        }
        return number > 0 ? number - 1 : nil
    }

    func bind(_ values: [SQLValue]) throws {
        for (index, place) in order.enumerated() {
            guard place < values.count else {
                throw MetadataError(
                    .constraint, "a statement wants a value for $\(place + 1), there are \(values.count)")
            }
            let code = bind(values[place], at: Int32(index) + 1)
            if code != SQLITE_OK { throw SQLiteErrors.last(of: connection, code: code, path: path) }
        }
    }

    /// Goes on to the next row; false when there is none.
    func step() throws -> Bool {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw SQLiteErrors.last(of: connection, code: code, path: path)
        }
    }

    /// Copies the row out.
    func row() -> SQLRow {
        SQLRow((0..<sqlite3_column_count(statement)).map(value))
    }

    /// Makes the statement ready for its next use, and lets go of its locks and values.
    func reset() {
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
    }

    private func bind(_ value: SQLValue, at index: Int32) -> Int32 {
        // SQLite copies the bytes before the call returns.
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch value {
        case .null: return sqlite3_bind_null(statement, index)
        case .integer(let number): return sqlite3_bind_int64(statement, index, number)
        case .text(let text):
            var text = text
            return text.withUTF8 { bytes in
                guard let start = bytes.baseAddress, bytes.count > 0 else {
                    return sqlite3_bind_text(statement, index, "", 0, copied)
                }
                return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                    sqlite3_bind_text64(statement, index, $0, UInt64(bytes.count), copied, UInt8(SQLITE_UTF8))
                }
            }
        case .blob(let bytes):
            // A missing address would bind nothing instead of no bytes.
            if bytes.isEmpty { return sqlite3_bind_zeroblob(statement, index, 0) }
            return bytes.withUnsafeBytes {
                sqlite3_bind_blob64(statement, index, $0.baseAddress, UInt64($0.count), copied)
            }
        }
    }

    private func value(at column: Int32) -> SQLValue {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
        case SQLITE_TEXT:
            let bytes = UnsafeRawBufferPointer(
                start: sqlite3_column_text(statement, column), count: Int(sqlite3_column_bytes(statement, column)))
            return .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let bytes = UnsafeRawBufferPointer(
                start: sqlite3_column_blob(statement, column), count: Int(sqlite3_column_bytes(statement, column)))
            return .blob([UInt8](bytes))
        default: return .null
        }
    }
}
