import Metadata
import Model
import Testing

private struct Refused: Error, Equatable {}

extension MetadataConformance {
    static let transactionChecks: [Check] = [
        Check("a write that throws changes nothing, and what it throws comes out unchanged") { database in
            await #expect(throws: Refused()) {
                try await database.write { connection throws in
                    try AccountQueries(connection).create(Fixture.accountRecord())
                    throw Refused()
                }
            }
            let accounts = try await database.read { try AccountQueries($0).all() }
            #expect(accounts.isEmpty)
        },
        Check("what a read throws comes out unchanged") { database in
            await #expect(throws: Refused()) { try await database.read { _ -> Int in throw Refused() } }
        },
        Check("a statement that fails undoes itself, and the body may go on") { database in
            try await database.write { connection throws in
                let accounts = AccountQueries(connection)
                try accounts.create(Fixture.accountRecord())
                #expect(throws: MetadataError(.alreadyExists, "")) { try accounts.create(Fixture.accountRecord()) }
                try accounts.create(Fixture.accountRecord(AccountID(high: 9, low: 9), name: "bob"))
            }
            #expect(try await database.read { try AccountQueries($0).all().map(\.name) } == ["ada", "bob"])
        },
        Check("a read sees what a write before it has written") { database in
            try await database.prepareHome()
            for upload in 1...20 as ClosedRange<UInt64> {
                try await database.commit(upload, [NodeChange(upload, Fixture.file("f\(upload)"))])
                #expect(try await database.homeHead()?.revision == Revision(upload))
            }
        },
        Check("every kind of value comes back as it was put in") { database in
            let values: [SQLValue] = [
                .null, .integer(.min), .integer(.max), .integer(0), .text(""), .text("grüße\u{1F600}"),
                .blob([]), .blob([0]), .blob([UInt8](repeating: 0xFF, count: 100_000)),
            ]
            try await database.prepareHome()
            try await database.write { try DeviceQueries($0).create(Fixture.deviceRecord(1)) }
            for value in values {
                let back = try await database.write { connection throws in
                    try connection.first(roundTrip(of: value), [value])
                }
                #expect(back == SQLRow([value]))
            }
        },
        Check("parameters go by their numbers, in any order and as often as they are named") { database in
            try await database.prepareHome()
            let row = try await database.read {
                try $0.first(
                    "SELECT revision FROM namespace WHERE created = $2 AND id = $1 AND owner = $3 AND id = $1",
                    [
                        .blob(Fixture.namespace.bytes), .integer(Fixture.time.nanoseconds),
                        .blob(Fixture.account.bytes),
                    ])
            }
            #expect(row == SQLRow([.integer(0)]))
        },
        Check("many executions count all the rows that they change") { database in
            let rows: [[SQLValue]] = (0..<5).map { [.blob([1]), .blob([UInt8($0 % 3)]), .blob([7])] }
            let changed = try await database.write {
                try $0.executeMany(
                    "INSERT INTO page (account, id, bytes) VALUES ($1, $2, $3) ON CONFLICT (account, id) DO NOTHING",
                    rows)
            }
            #expect(changed == 3)
            #expect(
                try await database.write { try $0.execute("DELETE FROM page WHERE account = $1", [.blob([1])]) } == 3)
            #expect(try await database.write { try $0.executeMany("DELETE FROM page WHERE id = $1", []) } == 0)
        },
        Check("a statement that is none is an error, and does no harm") { database in
            await #expect(throws: MetadataError.self) { try await database.read { try $0.query("SELEC 1", []) } }
            await #expect(throws: MetadataError.self) {
                try await database.write { try $0.execute("DELETE FROM nowhere", []) }
            }
            try await database.prepareHome()
        },
        Check("after closing, calls fail as unavailable, and closing again does nothing") { database in
            try await database.close()
            try await database.close()
            await #expect(throws: MetadataError(.unavailable, "")) { try await database.homeHead() }
            await #expect(throws: MetadataError(.unavailable, "")) { try await database.prepareHome() }
        },
        Check("a migrated database needs no migration") { database in
            let steps = try await database.write { try Schema.migrate($0) }
            #expect(steps.isEmpty)
            #expect(try await database.read { try Schema.appliedVersion($0) } == Schema.version)
        },
        Check("a schema of a later version is refused by name") { database in
            let later = Schema.version + 1
            try await database.write {
                try $0.execute(
                    "INSERT INTO schema_version (version, name) VALUES ($1, $2)",
                    [.integer(Int64(later)), .text("from the future")])
            }
            let error = await #expect(throws: MetadataError(.incompatible, "")) {
                try await database.write { try Schema.migrate($0) }
            }
            #expect(error?.message.contains("\(later)") == true)
        },
    ]

    /// A statement that puts a value into a column of its type and answers with it.
    private static func roundTrip(of value: SQLValue) -> String {
        switch value {
        case .null: "UPDATE device SET revoked = $1 RETURNING revoked"
        case .integer: "UPDATE namespace SET created = $1 RETURNING created"
        case .text: "UPDATE account SET password = $1 RETURNING password"
        case .blob: "UPDATE account SET wrapped_key = $1 RETURNING wrapped_key"
        }
    }
}
