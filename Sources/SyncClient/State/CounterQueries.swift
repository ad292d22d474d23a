import GRDB

/// A number that `status` shows: what the last pass did, and all passes together.
struct Counter: Hashable, Sendable {
    let last: Int64
    let total: Int64
}

/// The statistics, and the few settings that are no table of their own.
struct CounterQueries {
    let connection: Database

    init(_ connection: Database) {
        self.connection = connection
    }

    /// Notes what a pass counted: the last value is replaced, the total grows. What it did not count was 0.
    func note(pass counts: [String: Int64]) throws {
        try PreparedQuery("UPDATE counter SET last = 0", on: connection).run()
        let query = try PreparedQuery(
            """
            INSERT INTO counter (name, last, total) VALUES (?1, ?2, ?2)
            ON CONFLICT (name) DO UPDATE SET last = excluded.last, total = total + excluded.last
            """, on: connection)
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            query.bind(1, name)
            query.bind(2, count)
            try query.run()
        }
    }

    func all() throws -> [String: Counter] {
        let rows = try PreparedQuery("SELECT name, last, total FROM counter", on: connection).all {
            ($0.text(0), Counter(last: $0.integer(1), total: $0.integer(2)))
        }
        return Dictionary(uniqueKeysWithValues: rows)
    }

    /// Keeps a value under a name; nil takes it away.
    func set(_ name: String, _ value: [UInt8]?) throws {
        guard let value else {
            let query = try PreparedQuery("DELETE FROM setting WHERE name = ?", on: connection)
            query.bind(1, name)
            try query.run()
            return
        }
        let query = try PreparedQuery("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", on: connection)
        query.bind(1, name)
        query.bind(2, value)
        try query.run()
    }

    func setting(_ name: String) throws -> [UInt8]? {
        let query = try PreparedQuery("SELECT value FROM setting WHERE name = ?", on: connection)
        query.bind(1, name)
        return try query.first { $0.bytes(0) }
    }
}
