import Blocks
import Foundation
import GRDB
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

/// Rows that mean something without a disk below them.
enum Sample {
    static func fingerprint(_ number: UInt64, kind: UInt32 = 0o100_000) -> Fingerprint {
        Fingerprint(
            device: 7, inode: 1000 + number, size: number, modified: 10, changed: Int64(number), born: 5,
            mode: kind | 0o644)
    }

    static func file(_ number: UInt64, parent: NodeID = .root, name: String? = nil, level: UInt8 = 0) -> NodeState {
        let digest = SHA256Hasher.digest(of: [UInt8](bigEndian: number))
        return NodeState(
            parent: parent, name: try! NodeName(name ?? "file \(number)"),
            payload: .file(Content(id: ContentID(level: level, digest: digest), size: number)), mode: 0o644,
            modified: Timestamp(nanoseconds: Int64(number) * 1_000_000_007))
    }

    static func node(_ number: UInt64) -> NodeID { NodeID(high: 9, low: number) }

    static func synced(_ number: UInt64, _ state: NodeState? = nil) -> SyncedRecord {
        SyncedRecord(
            record: NodeRecord(node: node(number), revision: Revision(number), state: state ?? file(number)),
            fingerprint: fingerprint(number), isRacy: number % 2 == 0)
    }
}

@Suite("The client's state")
struct ClientDatabaseTests {
    let directory = TemporaryDirectory()

    var path: String { directory.appending("state.db") }

    func link(_ connection: Database, _ folder: String = "/a") throws -> LinkID {
        try LinkQueries(connection).add(
            folder: LocalPath(bytes: Array(folder.utf8)), remote: RemotePath("/x/y"),
            namespace: NamespaceID(high: 3, low: 4), root: Sample.node(99),
            identity: FolderIdentity(device: 1, inode: 2, born: 3))
    }

    @Test("what was written is there after it was closed and opened")
    func reopens() throws {
        let first = try ClientDatabase(path: path)
        let id = try first.writeDurably { try link($0) }
        try first.write { try SyncedQueries($0, link: id).put([Sample.synced(1)]) }
        try first.close()
        let second = try ClientDatabase(path: path)
        let record = try second.read { try SyncedQueries($0, link: id).record(of: Sample.node(1)) }
        #expect(record == Sample.synced(1))
        let links = try second.read { try LinkQueries($0).all() }
        #expect(links.map(\.remote.description) == ["/x/y"])
        #expect(links.first?.cursor.hash == .origin)
    }

    @Test("a state of the first version keeps its links and its list of contents to look at")
    func migrates() throws {
        let queue = try DatabaseQueue(path: path)
        let digest = SHA256Hasher.digest(of: [5])
        try queue.write { connection in
            for statement in Schema.steps[0] { try connection.execute(sql: statement) }
            try connection.execute(sql: "PRAGMA user_version = 1")
            _ = try link(connection)
            try connection.execute(sql: "INSERT INTO unused_content VALUES (?)", arguments: [Data(digest.bytes)])
            for key in [digest.bytes, [7, 7]] {
                try connection.execute(
                    sql: "INSERT INTO recipe VALUES (?, 0, 0, ?)", arguments: [Data(key), Data(count: 36)])
            }
        }
        try queue.close()
        let database = try ClientDatabase(path: path)
        let id = try #require(try database.read { try LinkQueries($0).all() }.first?.id)
        func recipes() throws -> Int64? {
            try database.read { try PreparedQuery("SELECT count(*) FROM recipe", on: $0).first { $0.integer(0) } }
        }
        #expect(try recipes() == 1)
        try database.write { try RecipeQueries($0).sweep(id) }
        #expect(try recipes() == 0)
    }

    @Test("a state of a newer client is refused by name")
    func newer() throws {
        let first = try ClientDatabase(path: path)
        try first.write { try $0.execute(sql: "PRAGMA user_version = 1000") }
        try first.close()
        let error = #expect(throws: ClientError.self) { try ClientDatabase(path: path) }
        #expect(error?.code == .stateTooNew)
        #expect(error?.message.contains(path) == true)
        #expect(error?.message.contains("1000") == true)
    }

    @Test("what is no database is said to be corrupt, and is left as it is")
    func corrupt() throws {
        let bytes = Data((0..<9000).map { UInt8($0 % 251) })
        try bytes.write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: ClientError.self) { try ClientDatabase(path: path) }
        #expect(error?.code == .stateCorrupt)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
    }

    @Test("a transaction that throws leaves nothing behind")
    func rollsBack() throws {
        let database = try ClientDatabase(path: path)
        let id = try database.write { try link($0) }
        #expect(throws: Killed.self) {
            try database.write {
                try SyncedQueries($0, link: id).put([Sample.synced(1)])
                throw Killed()
            }
        }
        #expect(throws: Killed.self) {
            try database.writeDurably {
                try SyncedQueries($0, link: id).put([Sample.synced(2)])
                throw Killed()
            }
        }
        #expect(try database.read { try SyncedQueries($0, link: id).count() } == 0)
        try database.write { try SyncedQueries($0, link: id).put([Sample.synced(3)]) }
        #expect(try database.read { try SyncedQueries($0, link: id).count() } == 1)
    }

    @Test("only the durable write waits for the disk")
    func durability() throws {
        let database = try ClientDatabase(path: path)
        func level(_ connection: Database) throws -> Int64? {
            try PreparedQuery("PRAGMA synchronous", on: connection).first { $0.integer(0) }
        }
        #expect(try database.write { try level($0) } == 1)
        #expect(try database.writeDurably { try level($0) } == 2)
        #expect(throws: Killed.self) { try database.writeDurably { _ in throw Killed() } }
        #expect(try database.write { try level($0) } == 1)
    }

    @Test("a link that is removed takes all that is known of it along, and nothing of another")
    func unlink() throws {
        let database = try ClientDatabase(path: path)
        let (one, other) = try database.write { (try link($0, "/a"), try link($0, "/b")) }
        for id in [one, other] {
            try database.write { connection in
                try SyncedQueries(connection, link: id).put([Sample.synced(1)])
                try RemoteQueries(connection, link: id).put([
                    (Sample.node(1), RemoteNode(revision: Revision(2), state: nil))
                ])
                try StatusQueries(connection, link: id).note(
                    [Problem(path: .root, code: .io, message: "it broke")], at: Timestamp(nanoseconds: 1))
            }
        }
        try database.write { try LinkQueries($0).remove(one) }
        try database.read { connection throws in
            #expect(try LinkQueries(connection).all().map(\.id) == [other])
            #expect(try SyncedQueries(connection, link: one).count() == 0)
            #expect(try SyncedQueries(connection, link: other).count() == 1)
            #expect(try RemoteQueries(connection, link: one).overlay().isEmpty)
            #expect(try RemoteQueries(connection, link: other).overlay().count == 1)
            #expect(try StatusQueries(connection, link: one).problems().isEmpty)
        }
    }

    @Test("the cursor goes with its hash")
    func cursor() throws {
        let database = try ClientDatabase(path: path)
        let id = try database.write { try link($0) }
        let head = Head(
            namespace: NamespaceID(high: 3, low: 4), revision: Revision(.max),
            hash: CommitHash(SHA256Hasher.digest(of: [1])))
        try database.write { try LinkQueries($0).setCursor(id, head) }
        #expect(try database.read { try LinkQueries($0).record(id)?.cursor } == head)
    }

    @Test(
        "a folder is the linked one by its birth, and by its device only where births are unknown",
        arguments: [
            (FolderIdentity(device: 1, inode: 2, born: 3), FolderIdentity(device: 9, inode: 2, born: 3), true),
            (FolderIdentity(device: 1, inode: 2, born: 3), FolderIdentity(device: 1, inode: 2, born: 4), false),
            (FolderIdentity(device: 1, inode: 2, born: 3), FolderIdentity(device: 1, inode: 5, born: 3), false),
            (FolderIdentity(device: 1, inode: 2, born: 0), FolderIdentity(device: 1, inode: 2, born: 0), true),
            (FolderIdentity(device: 1, inode: 2, born: 0), FolderIdentity(device: 9, inode: 2, born: 0), false),
        ])
    func identity(one: FolderIdentity, other: FolderIdentity, same: Bool) {
        #expect(one.isSame(as: other) == same)
    }
}
