import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

@Suite("What is settled with its note")
struct SettledWithNoteTests {
    let folder = TemporaryDirectory()
    let database: ClientDatabase
    let link: LinkID

    init() throws {
        database = try ClientDatabase(path: folder.appending("state.sqlite"))
        link = try database.write { connection in
            try LinkQueries(connection).add(
                folder: LocalPath(bytes: Array("/linked".utf8)), remote: .root,
                namespace: NamespaceID(high: 1, low: 1), root: .root,
                identity: FolderIdentity(device: 1, inode: 2, born: 3))
        }
    }

    private func node(_ number: UInt64) -> NodeID { NodeID(high: 5, low: number) }

    private func record(_ number: UInt64, in parent: NodeID) throws -> NodeRecord {
        NodeRecord(
            node: node(number), revision: Revision(number + 1),
            state: NodeState(
                parent: parent, name: try NodeName("name \(number)"), payload: .folder, mode: 0o755,
                modified: Timestamp(nanoseconds: 0)))
    }

    private func local(_ record: NodeRecord, name: String? = nil) throws -> LocalRecord {
        var state = record.state
        if let name { state.name = try NodeName(name) }
        let fingerprint = Fingerprint(
            device: 1, inode: 9, size: 0, modified: 0, changed: 0, born: 0, mode: 0o040755)
        return LocalRecord(node: record.node, condition: .present(state), fingerprint: fingerprint)
    }

    /// Puts records into the remote overlay, as a fetch does, and notes them as placed.
    private func settle(_ records: [NodeRecord], _ locals: [LocalRecord]) throws -> Set<NodeID> {
        try database.write { connection in
            try RemoteQueries(connection, link: link).put(
                records.map { (key: $0.node, value: RemoteNode(revision: $0.revision, state: $0.state)) })
            return try LocalQueries(connection, link: link).note(
                Dictionary(uniqueKeysWithValues: locals.map { ($0.node, $0) }),
                settling: Dictionary(uniqueKeysWithValues: records.map { ($0.node, $0) }), root: .root)
        }
    }

    private func expectSynced(_ nodes: Set<NodeID>, of records: [NodeRecord]) throws {
        try database.read { connection throws in
            for record in records {
                let isSynced = nodes.contains(record.node)
                let synced = try SyncedQueries(connection, link: link).record(of: record.node)?.record
                #expect(synced == (isSynced ? record : nil))
                let remote = try RemoteQueries(connection, link: link).record(of: record.node)
                #expect((remote == nil) == isSynced)
                let noted = try LocalQueries(connection, link: link).record(of: record.node)
                #expect((noted == nil) == isSynced)
            }
        }
    }

    @Test("a chain of folders is settled whole, however deep, whatever the order of the notes")
    func chain() throws {
        var records = [try record(0, in: .root)]
        for number in 1..<1000 as Range<UInt64> { records.append(try record(number, in: node(number - 1))) }
        let settled = try settle(records, try records.shuffled().map { try local($0) })
        #expect(settled == Set(records.map(\.node)))
        try expectSynced(settled, of: records)
    }

    @Test("what is not on disk as agreed stays a difference, and so does what lies in it")
    func different() throws {
        let records = [try record(0, in: .root), try record(1, in: node(0)), try record(2, in: .root)]
        let locals = [try local(records[0], name: "elsewhere"), try local(records[1]), try local(records[2])]
        let settled = try settle(records, locals)
        #expect(settled == [node(2)])
        try expectSynced(settled, of: records)
    }

    @Test("a node in a folder that is synced already is settled, one in an unknown folder waits")
    func parents() throws {
        let first = try record(0, in: .root)
        _ = try settle([first], [try local(first)])
        let records = [try record(1, in: node(0)), try record(2, in: node(77))]
        let settled = try settle(records, try records.map { try local($0) })
        #expect(settled == [node(1)])
        try expectSynced(settled, of: records)
    }

    @Test("reads that share one look see what was written in between")
    func readingMuch() throws {
        let record = try record(0, in: .root)
        try database.readingMuch {
            #expect(try count(database) == 0)
            _ = try settle([record], [try local(record)])
            #expect(try count(database) == 1)
            try database.writeDurably { try SyncedQueries($0, link: link).remove([record.node]) }
            #expect(try count(database) == 0)
        }
    }

    private func count(_ database: ClientDatabase) throws -> Int {
        try database.read { try SyncedQueries($0, link: link).count() }
    }

    @Test("they do not see what another process writes meanwhile, and do so when they are done, however they end")
    func otherProcess() throws {
        let other = try ClientDatabase(path: folder.appending("state.sqlite"))
        let record = SyncedRecord(
            record: try record(0, in: .root), fingerprint: try local(try self.record(0, in: .root)).fingerprint,
            isRacy: false)
        do {
            try database.readingMuch {
                #expect(try count(database) == 0)
                try other.write { try SyncedQueries($0, link: link).put([record]) }
                #expect(try count(database) == 0)
                throw CancellationError()
            }
        } catch is CancellationError {}
        #expect(try count(database) == 1)
        try other.close()
    }
}
