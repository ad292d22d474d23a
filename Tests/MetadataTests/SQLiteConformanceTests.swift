import Metadata
import MetadataConformance
import MetadataSQLite
import TestSupport
import Testing

@Suite("The SQLite database keeps the contract")
struct SQLiteConformanceTests {
    @Test(arguments: MetadataConformance.checks)
    func conforms(_ check: MetadataConformance.Check) async throws {
        let directory = TemporaryDirectory()
        try await check.run { try SQLiteMetadataDatabase(path: directory.appending("metadata.db")) }
        withExtendedLifetime(directory) {}
    }
}
