import Metadata
import MetadataConformance
import Testing

/// One database, emptied for each check: that takes a tenth of the time that making one takes.
private actor EmptiedDatabase {
    static let shared = EmptiedDatabase()
    private var files: TestDatabase?

    func empty() async throws -> TestDatabase {
        guard let files else {
            let made = try await TestDatabase()
            files = made
            return made
        }
        let direct = try files.direct()
        let tables = try direct.run(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_version'")
        try direct.run("TRUNCATE \(tables.flatMap(\.self).joined(separator: ", "))")
        try direct.run("DELETE FROM schema_version WHERE version > \(Schema.version)")
        return files
    }
}

@Suite("The PostgreSQL database keeps the contract", .serialized)
struct PostgreSQLConformanceTests {
    @Test(arguments: MetadataConformance.checks)
    func conforms(_ check: MetadataConformance.Check) async throws {
        let files = try await EmptiedDatabase.shared.empty()
        try await check.run { try await files.open() }
    }
}
