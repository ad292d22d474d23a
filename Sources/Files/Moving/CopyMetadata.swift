public import Metadata
public import Model

/// Copies all metadata of one database to another, of another kind, and compares both afterwards.
///
/// Nobody may write to either meanwhile. The target bears a mark, by which servers refuse it (``isUnfinished(_:)``), until it
/// is made the present by ``release(_:)``. A copy that was cut off is begun anew by the next.
public struct CopyMetadata: Sendable {
    /// How many rows of a table were copied.
    public struct Table: Hashable, Sendable {
        /// The table.
        public let name: String
        /// Its rows.
        public let rows: Int
    }

    private let source: any MetadataDatabase
    private let target: any MetadataDatabase
    private let shapes: [TableShape]
    private let clock: any WallClock

    private static let rowsAtOnce = 1000
    /// The work under whose name the mark is noted.
    private static let mark = "unfinished copy"

    /// Makes the use case; `shapes` are those of ``TableQueries/shapes()``.
    public init(
        from source: any MetadataDatabase, to target: any MetadataDatabase, shapes: [TableShape], clock: any WallClock
    ) {
        self.source = source
        self.target = target
        self.shapes = shapes
        self.clock = clock
    }

    /// Whether a database is a copy that was cut off.
    public static func isUnfinished(_ database: any MetadataDatabase) async throws -> Bool {
        try await database.read { try WorkProgressQueries($0).value(of: mark) != nil }
    }

    /// Takes the mark off a database that is the present from now on.
    public static func release(_ database: any MetadataDatabase, at time: Timestamp) async throws {
        try await database.write { try WorkProgressQueries($0).set(nil, of: mark, at: time) }
    }

    /// Marks a database that is the present no more.
    public static func retire(_ database: any MetadataDatabase, at time: Timestamp) async throws {
        try await database.write { try WorkProgressQueries($0).set([1], of: mark, at: time) }
    }

    /// Copies and compares.
    /// - Throws: ``FilesError`` `alreadyExists` when the target has accounts of its own, `corruptData` when the copy is not
    ///   the same; ``MetadataError``.
    /// - Returns: the tables, in the order in which they were copied.
    public func callAsFunction() async throws -> [Table] {
        try await begin()
        var tables: [Table] = []
        for table in shapes { tables.append(Table(name: table.name, rows: try await copy(table))) }
        for table in shapes { try await compare(table) }
        return tables
    }

    /// Empties a target that an earlier copy has begun, and marks it.
    private func begin() async throws {
        let isOurs = try await Self.isUnfinished(target)
        if !isOurs {
            for table in shapes {
                guard try await target.read({ try TableQueries($0).isEmpty(table) }) else {
                    throw FilesError(
                        .alreadyExists, "the database to copy to is not empty: its table \(table.name) has rows")
                }
            }
        }
        let (shapes, now) = (shapes, clock.now())
        try await target.write { connection in
            for table in shapes.reversed() { try TableQueries(connection).clear(table) }
            try WorkProgressQueries(connection).set([1], of: Self.mark, at: now)
        }
    }

    private func copy(_ table: TableShape) async throws -> Int {
        var last: [SQLValue]?
        var count = 0
        while true {
            let start = last
            let rows = try await source.read {
                try TableQueries($0).rows(of: table, after: start, limit: Self.rowsAtOnce)
            }
            if rows.isEmpty { return count }
            try await target.write { try TableQueries($0).insert(rows, into: table) }
            count += rows.count
            last = rows.last.map(table.key(of:))
        }
    }

    /// Reads both once more, side by side.
    private func compare(_ table: TableShape) async throws {
        var last: [SQLValue]?
        while true {
            let start = last
            let rows = try await source.read {
                try TableQueries($0).rows(of: table, after: start, limit: Self.rowsAtOnce)
            }
            let copies = try await target.read { connection in
                try TableQueries(connection).rows(of: table, after: start, limit: Self.rowsAtOnce + 1)
                    .filter { !Self.isMark($0, table) }
            }
            guard rows == Array(copies.prefix(Self.rowsAtOnce)) else {
                throw FilesError(.corruptData, "the copy of table \(table.name) is not the same")
            }
            if rows.isEmpty { return }
            last = rows.last.map(table.key(of:))
        }
    }

    /// The mark is a row of the target that the source does not have.
    private static func isMark(_ row: SQLRow, _ table: TableShape) -> Bool {
        table.name == "maintenance" && row.values.contains(.text(mark))
    }
}
