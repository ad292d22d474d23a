import Messaging
import MessagingConformance
import MessagingSQL
import Metadata
import MetadataSQLite
import Model
import TestSupport
import Testing

private typealias Fixture = QueueFixture

@Suite("An offline queue in a SQL database")
struct SQLOfflineQueueTests {
    private let directory = TemporaryDirectory()
    private var path: String { directory.appending("queue.db") }

    private func open(identity: UInt64 = 1, bounds: QueueBounds = QueueBounds()) async throws -> SQLOfflineQueue {
        let database = try SQLiteMetadataDatabase(path: path, schema: QueueSchema.history)
        return try await SQLOfflineQueue.open(database, bounds: bounds, identity: Fixture.identity(identity))
    }

    @Test("has it all when it is opened again, and keeps its identity")
    func openedAgain() async throws {
        let queue = try await open()
        try await queue.introduce(1)
        try await queue.add([Fixture.moved(1, 3), Fixture.event(.shareOffered, 1)], to: 1)
        try await queue.notePeerBehind(5)
        try await queue.remove([Fixture.device(2)], at: Fixture.time)
        let delivery = try await queue.read(1)
        try await queue.close()
        let again = try await open(identity: 2)
        #expect(try await again.read(1) == delivery)
        #expect(delivery.position?.queue == Fixture.identity(1))
        #expect(try await again.peerBehindSince() == 5)
        #expect(try await again.read(2) == .nothing)
        try await again.acknowledge(delivery.position, by: 1)
        #expect(try await again.read(1) == .nothing)
        try await again.close()
    }

    @Test("has what was acknowledged when the process ends without closing it")
    func killed() async throws {
        let queue = try await open()
        try await queue.introduce(1)
        try await queue.add([Fixture.moved(1, 3)], to: 1)
        // A copy of the files as they are is what a killed process leaves behind.
        let other = TemporaryDirectory()
        try copyDatabase(path, to: other.appending("queue.db"))
        let database = try SQLiteMetadataDatabase(path: other.appending("queue.db"), schema: QueueSchema.history)
        let copy = try await SQLOfflineQueue.open(database, identity: Fixture.identity(9))
        #expect(try await copy.read(1).entries == [Fixture.moved(1, 3)])
        try await copy.close()
        try await queue.close()
        withExtendedLifetime(other) {}
    }

    @Test("is not taken for a metadata database, nor one of those for a queue's")
    func otherKind() async throws {
        try await open().close()
        #expect(throws: MetadataError(.incompatible, "")) { _ = try SQLiteMetadataDatabase(path: path).path }
        let other = directory.appending("metadata.db")
        try await SQLiteMetadataDatabase(path: other).close()
        #expect(throws: MetadataError(.incompatible, "")) {
            _ = try SQLiteMetadataDatabase(path: other, schema: QueueSchema.history).path
        }
        #expect(try await open().read(1).readFromCursor)
    }

    @Test("fails once it is closed")
    func closed() async throws {
        let queue = try await open()
        try await queue.close()
        await #expect(throws: MetadataError(.unavailable, "")) { try await queue.read(1) }
        await #expect(throws: MetadataError(.unavailable, "")) { try await queue.add([Fixture.moved(1, 1)], to: 1) }
    }

    @Test("reports a database whose rows can't be as corrupt")
    func corrupt() async throws {
        let database = try SQLiteMetadataDatabase(path: path, schema: QueueSchema.history)
        let queue = try await SQLOfflineQueue.open(database, identity: Fixture.identity(1))
        try await queue.introduce(1)
        try await queue.add([Fixture.moved(1, 1)], to: 1)
        try await database.write { try $0.execute("UPDATE queue_entry SET version = -4", []) }
        await #expect(throws: MetadataError(.corrupt, "")) { try await queue.read(1) }
        try await database.write { try $0.execute("DELETE FROM queue_state", []) }
        await #expect(throws: MetadataError(.corrupt, "")) { try await queue.read(1) }
        try await queue.close()
    }

    @Test("takes more than one transaction's worth at once, in order")
    func largeBatch() async throws {
        var bounds = QueueBounds()
        bounds.entries = 2000
        let queue = try await open(bounds: bounds)
        try await queue.introduce(1)
        let entries = (1...1500).map { Fixture.moved($0, 1) }
        try await queue.add(entries, to: 1)
        #expect(try await queue.read(1, atMost: 2000).entries == entries)
        let settled = entries.prefix(1200).map { QueueAddition(Fixture.device(1), $0) }
        try await queue.settle(settled)
        #expect(try await queue.read(1, atMost: 2000).entries == Array(entries.dropFirst(1200)))
        try await queue.remove((1...600).map { Fixture.device($0) }, at: Fixture.time)
        #expect(try await queue.read(600) == .nothing)
        try await queue.close()
    }

    @Test("plans its reads of one device by an index")
    func plans() async throws {
        let database = try SQLiteMetadataDatabase(path: path, schema: QueueSchema.history)
        let statements = [
            "SELECT kind FROM queue_entry WHERE device = $1 AND number IS NOT NULL AND number <= 9 ORDER BY number",
            "SELECT device FROM queue_entry WHERE number IS NOT NULL AND since < 9 ORDER BY since",
        ]
        for statement in statements {
            let plan = try await database.read { connection in
                try connection.query("EXPLAIN QUERY PLAN " + statement.replacing("$1", with: "x'00'"), []).map {
                    try $0.text(3)
                }
            }
            #expect(plan.allSatisfy { $0.contains("USING") && $0.contains("INDEX") }, "\(plan)")
            #expect(plan.count == 1, "\(plan)")
        }
        try await database.close()
    }
}
