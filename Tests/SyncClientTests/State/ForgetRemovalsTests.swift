import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

@Suite("Removals that nobody needs")
struct ForgetRemovalsTests {
    private let directory = TemporaryDirectory()
    private let database: ClientDatabase
    private let link: LinkID
    private let other: LinkID

    init() throws {
        let database = try ClientDatabase(path: directory.appending("state.db"))
        func add(_ folder: String, _ inode: UInt64) throws -> LinkID {
            try database.write {
                try LinkQueries($0).add(
                    folder: LocalPath(bytes: Array(folder.utf8)), remote: .root,
                    namespace: NamespaceID(high: 1, low: 1), root: .root,
                    identity: FolderIdentity(device: 1, inode: inode, born: 3))
            }
        }
        self.database = database
        link = try add("/a", 2)
        other = try add("/b", 3)
    }

    private func remove(_ numbers: [UInt64], in link: LinkID) throws {
        let gone = numbers.map { (key: Sample.node($0), value: RemoteNode(revision: Revision(50), state: nil)) }
        try database.write { try RemoteQueries($0, link: link).put(gone) }
    }

    private func note(_ number: UInt64, _ condition: LocalRecord.Condition, in link: LinkID) throws {
        let record = LocalRecord(
            node: Sample.node(number), condition: condition, fingerprint: Sample.fingerprint(number))
        try database.write { try LocalQueries($0, link: link).note([record]) }
    }

    /// What is left of a link after removals are forgotten in the first.
    private func left(of asked: LinkID) throws -> Set<UInt64> {
        try database.write { try RemoteQueries($0, link: link).forgetRemovals() }
        return Set(try database.read { try RemoteQueries($0, link: asked).overlay() }.keys.map(\.low))
    }

    @Test("a removal stays while the synced tree has the node")
    func synced() throws {
        try database.write { try SyncedQueries($0, link: link).put([Sample.synced(1)]) }
        try remove([1, 2], in: link)
        #expect(try left(of: link) == [1])
    }

    @Test("a removal stays while the disk has the node, read, unread, parked or seen to be gone")
    func disk() throws {
        try note(1, .present(Sample.file(1)), in: link)
        try note(2, .unread(Placement(parent: .root, name: try NodeName("new"))), in: link)
        try note(3, .parked(Sample.file(3)), in: link)
        try database.write { try SyncedQueries($0, link: link).put([Sample.synced(4)]) }
        try note(4, .removed, in: link)
        try remove([1, 2, 3, 4, 5], in: link)
        #expect(try left(of: link) == [1, 2, 3, 4])
    }

    @Test("what is there on the server stays, whoever else has it")
    func present() throws {
        let there = RemoteNode(revision: Revision(9), state: Sample.file(1))
        try database.write { try RemoteQueries($0, link: link).put([(key: Sample.node(1), value: there)]) }
        try remove([2], in: link)
        #expect(try left(of: link) == [1])
        #expect(try database.read { try RemoteQueries($0, link: link).record(of: Sample.node(1)) } == there)
    }

    @Test("links do not answer for one another: neither for what they have nor for what they forget")
    func links() throws {
        try database.write { try SyncedQueries($0, link: other).put([Sample.synced(1)]) }
        try note(2, .present(Sample.file(2)), in: other)
        try remove([1, 2], in: link)
        try remove([3], in: other)
        #expect(try left(of: link).isEmpty)
        #expect(try left(of: other) == [3])
    }
}
