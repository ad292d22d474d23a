public import Model

/// Stands for the ids of processes that do jobs.
public enum LeaseHolderKind: Sendable {}

/// The id of a process that does jobs: drawn anew at each start.
public typealias LeaseHolder = Identifier<LeaseHolderKind>

/// What the database says about a job.
public struct LeaseRecord: Hashable, Sendable {
    /// Who does it; nil when it was given back.
    public let holder: LeaseHolder?
    /// How often it was taken.
    public let term: UInt64
    /// How often its holder has shown in this term that it is alive.
    public let beat: UInt64

    /// Makes a record of its parts.
    public init(holder: LeaseHolder?, term: UInt64, beat: UInt64) {
        self.holder = holder
        self.term = term
        self.beat = beat
    }
}

/// A job that a process has taken, in one term.
public struct Lease: Hashable, Sendable {
    /// The job.
    public let name: String
    /// Who has taken it.
    public let holder: LeaseHolder
    /// The term in which it is held.
    public let term: UInt64

    /// Makes a lease of its parts.
    public init(name: String, holder: LeaseHolder, term: UInt64) {
        self.name = name
        self.holder = holder
        self.term = term
    }
}

/// Another process has taken the job: this one must change nothing any more.
public struct LeaseLost: Error, Hashable, Sendable, CustomStringConvertible {
    /// The job.
    public let name: String

    /// Makes the error.
    public init(name: String) { self.name = name }

    /// What happened, for messages.
    public var description: String { "another process does the job \"\(name)\" now" }
}

/// Reads and writes which process does which job.
public struct LeaseQueries {
    private let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// What is known about a job; nil when nobody ever took it.
    public func record(of name: String) throws -> LeaseRecord? {
        try connection.first("SELECT holder, term, beat FROM lease WHERE name = $1", [.text(name)]).map { row in
            LeaseRecord(
                holder: row.isNull(0) ? nil : try row.id(0), term: try row.number(1), beat: try row.number(2))
        }
    }

    /// Takes a job, if nothing has happened to it since it was looked at.
    /// - Parameters:
    ///   - name: the job.
    ///   - holder: who takes it.
    ///   - seen: what was known about it then; nil when nobody had ever taken it.
    /// - Returns: the lease, in a new term; nil when somebody else was faster, or its holder is alive.
    /// - Throws: ``MetadataError``.
    public func take(_ name: String, by holder: LeaseHolder, after seen: LeaseRecord?) throws -> Lease? {
        let term = (seen?.term ?? 0) + 1
        let values: [SQLValue] = [.text(name), .id(holder), try .unsigned(term)]
        let changed: Int
        if let seen {
            changed = try connection.execute(
                """
                UPDATE lease SET holder = $2, term = $3, beat = 0 WHERE name = $1 AND term = $4 AND beat = $5
                """, values + [try .unsigned(seen.term), try .unsigned(seen.beat)])
        } else {
            changed = try connection.execute(
                """
                INSERT INTO lease (name, holder, term, beat) VALUES ($1, $2, $3, 0) ON CONFLICT (name) DO NOTHING
                """, values)
        }
        return changed > 0 ? Lease(name: name, holder: holder, term: term) : nil
    }

    /// Shows that the holder of a lease is alive.
    /// - Throws: ``LeaseLost`` when it is not the holder any more.
    public func beat(_ lease: Lease) throws {
        let changed = try connection.execute(
            "UPDATE lease SET beat = beat + 1 WHERE name = $1 AND holder = $2 AND term = $3", try Self.values(lease))
        if changed == 0 { throw LeaseLost(name: lease.name) }
    }

    /// Gives a job back, so that another process may take it at once. One that was lost is left alone.
    public func release(_ lease: Lease) throws {
        try connection.execute(
            "UPDATE lease SET holder = NULL, beat = beat + 1 WHERE name = $1 AND holder = $2 AND term = $3",
            try Self.values(lease))
    }

    /// Has to be called in a transaction that only the holder of a lease may make.
    /// - Throws: ``LeaseLost`` when another process has taken the job.
    public func ensure(_ lease: Lease) throws {
        let found = try connection.first(
            "SELECT 1 FROM lease WHERE name = $1 AND holder = $2 AND term = $3\(connection.dialect.forUpdate)",
            try Self.values(lease))
        if found == nil { throw LeaseLost(name: lease.name) }
    }

    private static func values(_ lease: Lease) throws -> [SQLValue] {
        [.text(lease.name), .id(lease.holder), try .unsigned(lease.term)]
    }
}
