import Metadata
import MetadataConformance
import MetadataPostgreSQL
import Model
import PostgreSQLSupport
import Testing

@Suite("The schema of a PostgreSQL database", .serialized)
struct PostgreSQLSchemaTests {
    @Test("is made once by servers that start at the same time")
    func together() async throws {
        let files = try await TestDatabase(isEmpty: true)
        let databases = try await withThrowingTaskGroup(of: PostgreSQLMetadataDatabase.self) { group in
            for _ in 0..<6 { group.addTask { try await files.open(PostgreSQLSettings(connections: 2)) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for database in databases {
            #expect(try await database.read { try Schema.appliedVersion($0) } == Schema.version)
            try await database.close()
        }
        #expect(try files.direct().value("SELECT COUNT(*) FROM schema_version") == "\(Schema.version)")
    }

    @Test("of any earlier version is brought up to date, with what is in it", arguments: 1..<Schema.version)
    func olderVersion(version: Int) async throws {
        let files = try await TestDatabase(isEmpty: true)
        let settings = PostgreSQLSettings(connections: 1)
        let old = try await PostgreSQLMetadataDatabase(
            files.string, settings, schema: Schema.history, schemaVersion: version)
        #expect(try await old.read { try Schema.appliedVersion($0) } == version)
        try await old.prepareHome()
        try await old.close()
        let database = try await files.open(settings)
        #expect(try await database.read { try Schema.appliedVersion($0) } == Schema.version)
        #expect(try await database.read { try AccountQueries($0).all() } == [Fixture.accountRecord()])
        #expect(try await database.write(commitBody(1)).revision == Revision(1))
        try await database.close()
    }

    @Test("of a later version is refused, and stays as it is")
    func laterVersion() async throws {
        let files = try await TestDatabase()
        let later = Schema.version + 3
        try files.direct().run("INSERT INTO schema_version (version, name) VALUES (\(later), 'new')")
        for _ in 0..<2 {
            let error = await #expect(throws: MetadataError(.incompatible, "")) { _ = try await files.open() }
            #expect(error?.message.contains("version \(later)") == true)
        }
    }

    @Test("of another kind of database is refused")
    func otherHistory() async throws {
        let files = try await TestDatabase()
        let other = SchemaHistory([
            SchemaMigration(version: 1, name: "other", statements: ["CREATE TABLE other (id {integer}){table}"])
        ])
        await #expect(throws: MetadataError(.incompatible, "")) {
            _ = try await PostgreSQLMetadataDatabase(files.string, schema: other)
        }
    }

    @Test("whose step fails is left at the version before")
    func failingStep() async throws {
        let files = try await TestDatabase(isEmpty: true)
        let old = try await PostgreSQLMetadataDatabase(
            files.string, PostgreSQLSettings(), schema: Schema.history, schemaVersion: 1)
        try await old.close()
        // Somebody made a table of a later step by hand.
        let direct = try files.direct()
        try direct.run("CREATE TABLE upload (id BYTEA)")
        await #expect(throws: MetadataError.self) { _ = try await files.open() }
        #expect(try direct.value("SELECT MAX(version) FROM schema_version") == "1")
        #expect(try direct.run("SELECT 1 FROM pg_tables WHERE tablename = 'node'").isEmpty)
    }

    @Test("needs a database of UTF-8 text, and says so")
    func encoding() async throws {
        let server = try PostgresServer.shared()
        let admin = try DirectConnection(server.string("postgres"))
        try admin.run("CREATE DATABASE other_encoding ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        let error = await #expect(throws: MetadataError(.incompatible, "")) {
            _ = try await PostgreSQLMetadataDatabase(server.string("other_encoding"))
        }
        #expect(error?.message.contains("LATIN1") == true && error?.isRetryable == false)
    }
}
