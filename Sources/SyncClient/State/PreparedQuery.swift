import GRDB
import GRDBSQLite
import Model

/// One prepared statement, bound and stepped without a detour.
///
/// A tree of a million nodes passes through a few of these. Binding an id costs two stores and reading a number one
/// call, where general-purpose rows would cost an allocation each. A query is taken from the connection's cache,
/// so the same text must not be asked again while one of its answers is still being read.
struct PreparedQuery {
    private let statement: Statement
    private let connection: Database
    let handle: OpaquePointer

    init(_ sql: String, on connection: Database) throws {
        statement = try connection.cachedStatement(sql: sql)
        handle = statement.sqliteStatement
        self.connection = connection
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    /// Goes to the next row; false when there is none, and the query can be bound again.
    func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE:
            sqlite3_reset(handle)
            return false
        default: throw failure()
        }
    }

    /// Runs a statement that answers no rows. Returns how many rows it changed.
    @discardableResult
    func run() throws -> Int {
        while try step() {}
        return Int(sqlite3_changes(sqlite3_db_handle(handle)))
    }

    /// Reads the first row, if there is one, and lets the query go.
    func first<Answer>(_ read: (PreparedQuery) throws -> Answer) throws -> Answer? {
        guard try step() else { return nil }
        defer { sqlite3_reset(handle) }
        return try read(self)
    }

    /// Reads all rows.
    func all<Answer>(_ read: (PreparedQuery) throws -> Answer) throws -> [Answer] {
        defer { sqlite3_reset(handle) }
        var answers: [Answer] = []
        while try step() { answers.append(try read(self)) }
        return answers
    }

    /// Lets go of an answer that was not read to its end.
    func reset() {
        sqlite3_reset(handle)
    }

    private func failure() -> ClientError {
        let database = sqlite3_db_handle(handle)
        let result = sqlite3_errcode(database) & 0xFF
        let detail = String(cString: sqlite3_errmsg(database))
        sqlite3_reset(handle)
        return ClientError(state: result, path: connection.description, detail: detail)
    }
}

/// Tells SQLite to copy what it is given.
private var transient: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

// MARK: - Binding

extension PreparedQuery {
    /// Binds a number; parameters count from 1.
    func bind(_ index: Int32, _ value: Int64) {
        sqlite3_bind_int64(handle, index, value)
    }

    func bind(_ index: Int32, _ value: UInt64) {
        sqlite3_bind_int64(handle, index, Int64(bitPattern: value))
    }

    func bind(_ index: Int32, _ value: Bool) {
        sqlite3_bind_int64(handle, index, value ? 1 : 0)
    }

    func bind(_ index: Int32, _ value: LinkID) {
        sqlite3_bind_int64(handle, index, value.rawValue)
    }

    func bindNull(_ index: Int32) {
        sqlite3_bind_null(handle, index)
    }

    func bind(_ index: Int32, _ bytes: UnsafeRawBufferPointer) {
        // A null address would bind NULL instead of no bytes.
        if bytes.isEmpty {
            sqlite3_bind_zeroblob(handle, index, 0)
        } else {
            sqlite3_bind_blob64(handle, index, bytes.baseAddress, sqlite3_uint64(bytes.count), transient)
        }
    }

    func bind(_ index: Int32, _ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bind(index, $0) }
    }

    func bind(_ index: Int32, _ text: String) {
        sqlite3_bind_text(handle, index, text, -1, transient)
    }

    func bind<Kind>(_ index: Int32, _ id: Identifier<Kind>) {
        withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { bind(index, $0) }
    }

    func bind(_ index: Int32, _ digest: Digest) {
        let words = digest.words
        withUnsafeBytes(of: (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)) {
            bind(index, $0)
        }
    }
}

// MARK: - Columns

extension PreparedQuery {
    /// A number; columns count from 0.
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func unsigned(_ column: Int32) -> UInt64 { UInt64(bitPattern: sqlite3_column_int64(handle, column)) }

    func boolean(_ column: Int32) -> Bool { sqlite3_column_int64(handle, column) != 0 }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    func text(_ column: Int32) -> String {
        sqlite3_column_text(handle, column).map { String(cString: $0) } ?? ""
    }

    /// The bytes of a column, where SQLite keeps them: valid until the next step.
    func withBytes<Answer>(_ column: Int32, _ body: (UnsafeRawBufferPointer) throws -> Answer) rethrows -> Answer {
        let address = sqlite3_column_blob(handle, column)
        return try body(UnsafeRawBufferPointer(start: address, count: Int(sqlite3_column_bytes(handle, column))))
    }

    func bytes(_ column: Int32) -> [UInt8] { withBytes(column) { [UInt8]($0) } }

    func identifier<Kind>(_ column: Int32) throws -> Identifier<Kind> {
        try withBytes(column) { bytes in
            guard bytes.count == 16 else { throw malformed(column) }
            return Identifier(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    func digest(_ column: Int32) throws -> Digest {
        try withBytes(column) { bytes in
            guard bytes.count == 32, let address = bytes.baseAddress else { throw malformed(column) }
            return Digest(loading: address)
        }
    }

    func name(_ column: Int32) throws -> NodeName {
        do {
            return try NodeName(bytes: bytes(column))
        } catch {
            throw malformed(column)
        }
    }

    /// What a column holds that can't be there.
    func malformed(_ column: Int32) -> ClientError {
        let name = sqlite3_column_name(handle, column).map { String(cString: $0) } ?? "\(column)"
        return ClientError(.stateCorrupt, "the client's state '\(connection.description)': column \(name) is malformed")
    }
}

extension Digest {
    /// The first eight bytes, by which an index finds it in a quarter of the room; what is found is compared whole.
    var indexKey: Int64 { Int64(bitPattern: words.0) }
}
