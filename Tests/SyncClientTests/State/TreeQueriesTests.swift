import Blocks
import GRDB
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

@Suite("Synced tree and overlays in the state")
struct TreeQueriesTests {
    let directory = TemporaryDirectory()
    let database: ClientDatabase
    let link: LinkID

    init() throws {
        database = try ClientDatabase(path: directory.appending("state.db"))
        link = try database.write {
            try LinkQueries($0).add(
                folder: LocalPath(bytes: [0x2F]), remote: .root, namespace: NamespaceID(high: 1, low: 1), root: .root,
                identity: FolderIdentity(device: 1, inode: 2, born: 3))
        }
    }

    func synced(_ records: [SyncedRecord]) throws {
        try database.write { try SyncedQueries($0, link: link).put(records) }
    }

    func note(_ records: [LocalRecord]) throws {
        try database.write { try LocalQueries($0, link: link).note(records) }
    }

    func overlay(_ limit: Int = .max) throws -> [NodeID: LocalNode] {
        try database.read { try LocalQueries($0, link: link).overlay(newLimit: limit) }
    }

    func present(_ number: UInt64, _ state: NodeState) -> LocalRecord {
        LocalRecord(
            node: Sample.node(number), condition: .present(state), fingerprint: Sample.fingerprint(number + 500))
    }

    @Test("every kind of state comes back as it was put")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 4)
        let odd = try NodeName(bytes: [0xFF, 0x0A, 0x22, 0x27] + [UInt8](repeating: 0xC3, count: 251))
        var states = [
            NodeState(
                parent: .root, name: odd, payload: .folder, mode: 0o7777, modified: Timestamp(nanoseconds: .min)),
            NodeState(
                parent: Sample.node(1), name: odd, payload: .symlink(target: [0xFF, 0]), mode: 0o777,
                modified: Timestamp(nanoseconds: .max)),
            NodeState(
                parent: .root, name: try NodeName("empty"), payload: .file(.empty), mode: 0,
                modified: Timestamp(nanoseconds: 0)),
            Sample.file(7, level: 3),
        ]
        states.append(
            NodeState(
                parent: NodeID(using: &generator), name: try NodeName("huge"),
                payload: .file(
                    Content(
                        id: ContentID(level: 255, digest: Digest(words: (.max, .max, 0, 1))), size: UInt64.max)),
                mode: 0o600, modified: Timestamp(nanoseconds: -1)))
        for (index, state) in states.enumerated() {
            let record = Sample.synced(UInt64(index), state)
            try synced([record])
            try database.read { connection throws in
                #expect(try SyncedQueries(connection, link: link).record(of: record.node) == record)
                #expect(
                    try SyncedQueries(connection, link: link).child(of: state.parent, named: state.name) == record.node)
            }
            let remote = RemoteNode(revision: Revision(UInt64.max - 1), state: state)
            try database.write { try RemoteQueries($0, link: link).put([(record.node, remote)]) }
            #expect(try database.read { try RemoteQueries($0, link: link).record(of: record.node) } == remote)
        }
    }

    @Test("the children of a folder come by the bytes of their names")
    func children() throws {
        let names: [[UInt8]] = [[0xFF], [0x61], [0x61, 0x62], [0x42], [0x0A]]
        for (index, name) in names.enumerated() {
            var state = Sample.file(UInt64(index))
            state.name = try NodeName(bytes: name)
            try synced([Sample.synced(UInt64(index), state)])
        }
        let sorted = try names.map { try NodeName(bytes: $0) }.sorted()
        #expect(try database.read { try SyncedQueries($0, link: link).children(of: .root).map(\.state.name) } == sorted)
        #expect(
            try database.read { try LocalView($0, link: link).children(of: .root).compactMap { $0.placement?.name } }
                == sorted)
    }

    @Test("the planner's tree answers what is stored, again and again")
    func tree() throws {
        try synced([Sample.synced(1)])
        try database.read { connection throws in
            let tree = StoredSyncedTree(connection, link: link)
            for _ in 0..<2 {
                #expect(try tree.record(of: Sample.node(1)) == Sample.synced(1).record)
                #expect(try tree.record(of: Sample.node(2)) == nil)
                #expect(try tree.child(of: .root, named: NodeName("file 1")) == Sample.node(1))
                #expect(try tree.child(of: .root, named: NodeName("file 2")) == nil)
            }
        }
    }

    @Test("what is on disk as it was synced leaves the overlay again")
    func convergence() throws {
        try synced([Sample.synced(1)])
        try note([present(1, Sample.file(2))])
        #expect(try overlay() == [Sample.node(1): .present(Sample.file(2))])
        try note([present(1, Sample.file(1))])
        #expect(try overlay().isEmpty)
        // The entry looks different now, and that is noted, so that it is not read for ever.
        let record = try database.read { try SyncedQueries($0, link: link).record(of: Sample.node(1)) }
        #expect(record?.fingerprint == Sample.fingerprint(501))
    }

    @Test("what was new and is gone leaves no trace")
    func newAndGone() throws {
        try note([present(1, Sample.file(1))])
        var record = present(1, Sample.file(1))
        record.condition = .removed
        try note([record])
        #expect(try database.read { try LocalQueries($0, link: link).count() } == 0)
    }

    @Test("the overlay names removals, parked nodes and moves, and leaves out new files that are unread")
    func overlayForms() throws {
        try synced((1...4).map { Sample.synced($0) })
        var (removed, parked) = (present(1, Sample.file(1)), present(2, Sample.file(2)))
        removed.condition = .removed
        parked.condition = .parked(Sample.file(2))
        var (moved, new) = (present(3, Sample.file(3)), present(9, Sample.file(9)))
        let placement = Placement(parent: .root, name: try NodeName("elsewhere"))
        moved.condition = .unread(placement)
        new.condition = .unread(Placement(parent: .root, name: try NodeName("new")))
        try note([removed, parked, moved, new])
        var expected = Sample.file(3)
        expected.placement = placement
        #expect(
            try overlay() == [
                Sample.node(1): .removed, Sample.node(2): .parked(Sample.file(2)),
                Sample.node(3): .present(expected),
            ])
    }

    @Test("a part of what is new comes in the order it was seen, with the folders that it needs")
    func portions() throws {
        func folder(_ number: UInt64, parent: NodeID) -> LocalRecord {
            var state = Sample.file(number, parent: parent)
            state.payload = .folder
            return present(number, state)
        }
        try synced([Sample.synced(50)])
        try note((1...6).map { present($0, Sample.file($0)) })
        try note([folder(7, parent: .root), folder(8, parent: Sample.node(7))])
        try note([present(50, Sample.file(50, parent: Sample.node(8)))])
        let part = try overlay(3)
        #expect(part.keys.sorted() == [1, 2, 3, 7, 8, 50].map { Sample.node($0) })
        #expect(try overlay().count == 9)
    }

    @Test("a settled node enters the tree with the fingerprint of the disk, and leaves both overlays")
    func settle() throws {
        try note([present(1, Sample.file(1))])
        let record = NodeRecord(node: Sample.node(1), revision: Revision(5), state: Sample.file(1))
        try database.write {
            try RemoteQueries($0, link: link).put([
                (record.node, RemoteNode(revision: Revision(5), state: record.state))
            ])
            try LocalQueries($0, link: link).settle([Plan.Settlement(node: record.node, record: record)])
        }
        try database.read { connection throws in
            #expect(try LocalQueries(connection, link: link).count() == 0)
            #expect(try RemoteQueries(connection, link: link).overlay().isEmpty)
            let stored = try SyncedQueries(connection, link: link).record(of: record.node)
            #expect(stored?.record == record)
            #expect(stored?.fingerprint == Sample.fingerprint(501))
        }
    }

    @Test("where disk or server went on while a commit was on its way, their overlays stay")
    func settleLate() throws {
        try synced([Sample.synced(1)])
        try note([present(1, Sample.file(3))])
        let newer = RemoteNode(revision: Revision(9), state: Sample.file(4))
        let accepted = NodeRecord(node: Sample.node(1), revision: Revision(5), state: Sample.file(2))
        try database.write {
            try RemoteQueries($0, link: link).put([(Sample.node(1), newer)])
            try LocalQueries($0, link: link).settle([Plan.Settlement(node: Sample.node(1), record: accepted)])
        }
        #expect(try overlay() == [Sample.node(1): .present(Sample.file(3))])
        try database.read { connection throws in
            #expect(try RemoteQueries(connection, link: link).overlay() == [Sample.node(1): newer])
            #expect(try SyncedQueries(connection, link: link).record(of: Sample.node(1))?.record == accepted)
        }
    }

    @Test("a node settled as something else than is on disk keeps the disk's state in the overlay")
    func settleElse() throws {
        try synced([Sample.synced(1)])
        let record = NodeRecord(node: Sample.node(1), revision: Revision(5), state: Sample.file(2))
        try database.write {
            try LocalQueries($0, link: link).settle([Plan.Settlement(node: Sample.node(1), record: record)])
        }
        #expect(try overlay() == [Sample.node(1): .present(Sample.file(1))])
    }

    @Test("a node erased from the tree is gone from it, and a removal noted of it too")
    func settleGone() throws {
        try synced([Sample.synced(1), Sample.synced(2)])
        var removed = present(1, Sample.file(1))
        removed.condition = .removed
        try note([removed, present(2, Sample.file(7))])
        try database.write {
            try RemoteQueries($0, link: link).put([(Sample.node(1), RemoteNode(revision: Revision(5), state: nil))])
            try LocalQueries($0, link: link).settle(
                [1, 2].map { Plan.Settlement(node: Sample.node($0), record: nil) })
        }
        try database.read { connection throws in
            #expect(try SyncedQueries(connection, link: link).count() == 0)
            #expect(try RemoteQueries(connection, link: link).overlay().isEmpty)
        }
        #expect(try overlay() == [Sample.node(2): .present(Sample.file(7))])
    }

    @Test("a new id takes over what is on disk; the old one is gone from there")
    func identities() throws {
        var folder = Sample.file(1)
        folder.payload = .folder
        try synced([Sample.synced(3)])
        try note([present(1, folder), present(2, Sample.file(2, parent: Sample.node(1)))])
        try database.write {
            try LocalQueries($0, link: link).rename([
                Plan.Identity(old: Sample.node(1), new: Sample.node(10)),
                Plan.Identity(old: Sample.node(3), new: Sample.node(30)),
            ])
        }
        #expect(
            try overlay() == [
                Sample.node(10): .present(folder),
                Sample.node(2): .present(Sample.file(2, parent: Sample.node(10))),
                Sample.node(3): .removed, Sample.node(30): .present(Sample.file(3)),
            ])
    }

    @Test("bytes read of an older look at a file are not noted")
    func staleReading() throws {
        var record = present(1, Sample.file(1))
        record.condition = .unread(Placement(parent: .root, name: try NodeName("a")))
        try note([record])
        let content = Content(id: ContentID(level: 0, digest: SHA256Hasher.digest(of: [1])), size: 1)
        func read(_ seen: Fingerprint) throws -> Bool {
            try database.write {
                try LocalQueries($0, link: link).noteRead(
                    record.node, seen: seen, content: content, fingerprint: record.fingerprint, racy: false)
            }
        }
        #expect(try !read(Sample.fingerprint(1)))
        #expect(try overlay().isEmpty)
        #expect(try read(record.fingerprint))
        #expect(try overlay()[Sample.node(1)]?.state?.payload.content == content)
        #expect(try !read(record.fingerprint))
    }

    @Test("paths lead to nodes and back, over both the tree and the overlay")
    func paths() throws {
        var folder = Sample.file(1, name: "folder")
        folder.payload = .folder
        try synced([Sample.synced(1, folder), Sample.synced(2, Sample.file(2, parent: Sample.node(1), name: "b"))])
        var moved = folder
        moved.name = try NodeName("moved")
        try note([present(1, moved)])
        try database.read { connection throws in
            let view = LocalView(connection, link: link)
            #expect(try view.path(of: Sample.node(2), root: .root)?.description == "moved/b")
            #expect(try view.node(at: LocalPath(bytes: Array("moved/b".utf8)), root: .root) == Sample.node(2))
            #expect(try view.node(at: LocalPath(bytes: Array("folder/b".utf8)), root: .root) == nil)
            #expect(try view.path(of: Sample.node(77), root: .root) == nil)
        }
    }
}
