import Foundation
import Metadata
import MetadataConformance
import MetadataSQLite
import Model
import TestSupport
import Testing

@Suite("A SQLite database that another process writes")
struct SQLiteMetadataReaderTests {
    private let directory = TemporaryDirectory()
    private var path: String { directory.appending("metadata.db") }

    @Test("is read as far as it is written, at any time")
    func reading() async throws {
        let database = try SQLiteMetadataDatabase(path: path)
        try await database.prepareHome()
        let reader = try SQLiteMetadataReader(path: path)
        for commit in 1...20 as ClosedRange<UInt64> {
            try await database.commit(commit, [NodeChange(commit, Fixture.folder("\(commit)"))])
            let head = try await reader.read { try NamespaceQueries($0).revisions(of: [Fixture.namespace]) }
            #expect(head == [Cursor(namespace: Fixture.namespace, revision: Revision(commit))])
        }
        try await database.close()
        // It reads on when the writer is gone.
        let last = try await reader.read { try NamespaceQueries($0).head(of: Fixture.namespace) }
        #expect(last?.revision == Revision(20))
        try await reader.close()
        await #expect(throws: (any Error).self) { try await reader.read { try AccountQueries($0).all() } }
    }

    @Test("is not written")
    func writing() async throws {
        let database = try SQLiteMetadataDatabase(path: path)
        let reader = try SQLiteMetadataReader(path: path)
        await #expect(throws: MetadataError(.unavailable, "")) {
            try await reader.write { try AccountQueries($0).create(Fixture.accountRecord()) }
        }
        await #expect(throws: MetadataError.self) {
            try await reader.read { try AccountQueries($0).create(Fixture.accountRecord()) }
        }
        #expect(try await database.read { try AccountQueries($0).all() } == [])
        try await reader.close()
        try await database.close()
    }

    @Test("is read after its writer was killed, and again when it is back")
    func restart() async throws {
        var database = try SQLiteMetadataDatabase(path: path)
        try await database.prepareHome()
        try await database.close()
        let reader = try SQLiteMetadataReader(path: path)
        #expect(try await reader.read { try AccountQueries($0).all() }.count == 1)
        database = try SQLiteMetadataDatabase(path: path)
        try await database.commit(1, [NodeChange(1, Fixture.folder("a"))])
        #expect(try await reader.read { try NamespaceQueries($0).head(of: Fixture.namespace) }?.revision == Revision(1))
        try await database.close()
        try await reader.close()
    }

    @Test("has to be there, and of the version that this program knows")
    func versions() async throws {
        #expect(throws: MetadataError(.unavailable, "")) { try SQLiteMetadataReader(path: path) }
        #expect(!FileManager.default.fileExists(atPath: path))
        let old = try SQLiteMetadataDatabase(path: path, schemaVersion: Schema.version - 1, busyTimeout: 10)
        try await old.close()
        #expect(throws: MetadataError(.incompatible, "")) { try SQLiteMetadataReader(path: path) }
        let other = directory.appending("other.db")
        try Data(repeating: 7, count: 10_000).write(to: URL(fileURLWithPath: other))
        #expect(throws: MetadataError(.corrupt, "")) { try SQLiteMetadataReader(path: other) }
    }
}
