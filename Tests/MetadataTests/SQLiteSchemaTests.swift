import Metadata
import MetadataConformance
import MetadataSQLite
import Model
import TestSupport
import Testing

@Suite("The schema of a SQLite database")
struct SQLiteSchemaTests {
    private let directory = TemporaryDirectory()
    private var path: String { directory.appending("metadata.db") }

    @Test("of any earlier version is brought up to date, with what is in it", arguments: 1..<Schema.version)
    func olderVersion(version: Int) async throws {
        let old = try SQLiteMetadataDatabase(path: path, schemaVersion: version, busyTimeout: 10)
        #expect(try await old.read { try Schema.appliedVersion($0) } == version)
        try await old.prepareHome()
        try await old.close()
        let database = try SQLiteMetadataDatabase(path: path)
        #expect(try await database.read { try Schema.appliedVersion($0) } == Schema.version)
        #expect(try await database.read { try AccountQueries($0).all() } == [Fixture.accountRecord()])
        #expect(try await database.write(commitBody(1)).revision == Revision(1))
        try await database.close()
    }

    @Test("of a later version is refused, and stays as it is")
    func laterVersion() async throws {
        let later = Schema.version + 3
        let database = try SQLiteMetadataDatabase(path: path)
        try await database.write {
            try $0.execute(
                "INSERT INTO schema_version (version, name) VALUES ($1, $2)", [.integer(Int64(later)), .text("new")])
        }
        try await database.close()
        for _ in 0..<2 {
            let error = #expect(throws: MetadataError(.incompatible, "")) { try SQLiteMetadataDatabase(path: path) }
            #expect(error?.message.contains("version \(later)") == true)
        }
    }

    @Test("whose step fails is left at the version before")
    func failingStep() async throws {
        let old = try SQLiteMetadataDatabase(path: path, schemaVersion: 1, busyTimeout: 10)
        // Somebody made a table of a later step by hand.
        try await old.write { try $0.execute("CREATE TABLE upload (id BLOB)", []) }
        try await old.close()
        #expect(throws: MetadataError.self) { try SQLiteMetadataDatabase(path: path) }
        let again = try SQLiteMetadataDatabase(path: path, schemaVersion: 1, busyTimeout: 10)
        #expect(try await again.read { try Schema.appliedVersion($0) } == 1)
        let tables = try await again.read { try $0.query("SELECT name FROM sqlite_master WHERE name = 'node'", []) }
        #expect(tables.isEmpty)
        try await again.close()
    }

    @Test("takes only values of the types of its columns")
    func strictTypes() async throws {
        let database = try SQLiteMetadataDatabase(path: path)
        await #expect(throws: MetadataError(.constraint, "")) {
            try await database.write {
                try $0.execute(
                    "INSERT INTO page (account, id, bytes) VALUES ($1, $2, $3)",
                    [.text("not bytes"), .blob([1]), .blob([1])])
            }
        }
        try await database.close()
    }
}
