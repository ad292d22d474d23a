import Metadata
import MetadataConformance
import Testing

@Suite("The PostgreSQL database keeps the contract", .serialized)
struct PostgreSQLConformanceTests {
    @Test(arguments: MetadataConformance.checks)
    func conforms(_ check: MetadataConformance.Check) async throws {
        let database = try await TestDatabase()
        try await check.run { try await database.open() }
        withExtendedLifetime(database) {}
    }
}
