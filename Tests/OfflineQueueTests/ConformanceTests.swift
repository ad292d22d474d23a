import Messaging
import MessagingConformance
import MessagingSQL
import MetadataSQLite
import TestSupport
import Testing

@Suite("Every offline queue keeps the contract")
struct ConformanceTests {
    @Test("in memory", arguments: OfflineQueueConformance.checks)
    func memory(_ check: OfflineQueueConformance.Check) async throws {
        try await check.run { MemoryOfflineQueue(identity: QueueFixture.identity(1), bounds: $0) }
    }

    @Test("in a SQL database", arguments: OfflineQueueConformance.checks)
    func database(_ check: OfflineQueueConformance.Check) async throws {
        let directory = TemporaryDirectory()
        let names = NameSource()
        try await check.run { bounds in
            let path = directory.appending(names.next())
            let database = try SQLiteMetadataDatabase(path: path, schema: QueueSchema.history)
            return try await SQLOfflineQueue.open(database, bounds: bounds, identity: QueueFixture.identity(1))
        }
        withExtendedLifetime(directory) {}
    }
}
