import Model
import SyncPlanning
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import SyncClient

@Suite("Taking the server's history in")
struct RemoteFetchTests {
    let server = MemoryServer()

    private func commit(_ changes: [NodeChange]) {
        server.state.withLock { state in
            let upload = UploadID(high: 9, low: UInt64(state.journal.changeCounts.count + 1))
            let outcome = state.journal.commit(UploadRequest(upload: upload, changes: changes))
            if case .committed = outcome { return }
            Issue.record("the commit was refused: \(outcome)")
        }
    }

    private func folder(_ number: Int, _ base: Revision = .zero, name: String? = nil) throws -> NodeChange {
        NodeChange(
            node: NodeID(high: 1, low: UInt64(number)), base: base,
            state: NodeState(
                parent: .root, name: try NodeName(name ?? "folder \(number)"), payload: .folder, mode: 0o755,
                modified: Timestamp(nanoseconds: 0)))
    }

    private func overlay(_ device: TestDevice) async throws -> [NodeID: RemoteNode] {
        let id = try await device.linkID()
        return try device.database.read { try RemoteQueries($0, link: id).overlay() }
    }

    private func cursor(_ device: TestDevice) async throws -> Head {
        try device.database.link(try await device.linkID()).cursor
    }

    private func fetch(_ device: TestDevice) async throws {
        try await RemoteFetch(context: device.context(), link: try await device.linkID()).run(verify: true)
    }

    @Test("a walk of many pages ends at one head, with every node")
    func pages() async throws {
        let device = try TestDevice("a", server)
        commit(try (0..<1300).map { try folder($0) })
        try await fetch(device)
        #expect(try await overlay(device).count == 1300)
        #expect(try await cursor(device) == server.head)
        #expect(server.count(.changes) == 3)
    }

    @Test("the cursor moves with the last page only: a walk that was cut off is walked again")
    func cutOff() async throws {
        let device = try TestDevice("a", server)
        commit(try (0..<1300).map { try folder($0) })
        _ = try await device.linkID()
        server.setFault { call, number, moment in
            if call == .changes, number == 2, moment == .before { throw ClientError(.unreachable, "cut") }
        }
        #expect(await failure { try await fetch(device) } == .unreachable)
        #expect(try await cursor(device).revision == .zero)
        server.setFault(nil)
        try await fetch(device)
        #expect(try await overlay(device).count == 1300)
        #expect(try await cursor(device) == server.head)
    }

    @Test("what happened to a node several times comes as its last state")
    func coalesced() async throws {
        let device = try TestDevice("a", server)
        commit([try folder(1)])
        try await fetch(device)
        commit([try folder(1, Revision(1), name: "second")])
        commit([try folder(1, Revision(2), name: "third")])
        try await fetch(device)
        let node = try #require(try await overlay(device)[NodeID(high: 1, low: 1)])
        #expect(node.revision == Revision(3))
        #expect(node.state?.name == (try NodeName("third")))
    }

    @Test("a node that came and went before it was seen leaves no trace; one that was noted leaves its removal")
    func tombstones() async throws {
        let device = try TestDevice("a", server)
        commit([try folder(1)])
        commit([NodeChange(node: NodeID(high: 1, low: 1), base: Revision(1), state: nil)])
        try await fetch(device)
        #expect(try await overlay(device).isEmpty)
        commit([try folder(2)])
        try await fetch(device)
        commit([NodeChange(node: NodeID(high: 1, low: 2), base: Revision(3), state: nil)])
        try await fetch(device)
        #expect(try await overlay(device) == [NodeID(high: 1, low: 2): RemoteNode(revision: Revision(4), state: nil)])
    }

    @Test("the removal of what was noted and never placed is no change that waits for ever")
    func forgottenRemovals() async throws {
        let device = try TestDevice("a", server)
        commit([try folder(1), try folder(2)])
        // As a run that is killed after the fetch.
        try await fetch(device)
        commit([NodeChange(node: NodeID(high: 1, low: 1), base: Revision(1), state: nil)])
        try await device.sync()
        #expect(try await overlay(device).isEmpty)
        #expect(!device.exists("folder 1"))
        #expect(device.exists("folder 2"))
    }

    @Test("our own commit moves the cursor, and is not fetched again")
    func ownCommit() async throws {
        let device = try TestDevice("a", server)
        try device.write("file", "text")
        try await device.sync()
        #expect(try await cursor(device) == server.head)
        try await fetch(device)
        #expect(try await overlay(device).isEmpty)
    }

    @Test("a commit of somebody else in between keeps the cursor back, and both come to rest")
    func interleaved() async throws {
        let device = try TestDevice("a", server)
        try device.write("file", "text")
        _ = try await device.linkID()
        let once = Mutex(true)
        let other = try folder(5)
        server.setFault { [self] call, _, moment in
            guard call == .submit, moment == .before else { return }
            let isFirst = once.withLock { value in
                defer { value = false }
                return value
            }
            if isFirst { commit([other]) }
        }
        try await device.sync()
        #expect(device.exists("folder 5"))
        #expect(try await cursor(device) == server.head)
        #expect(server.head.revision == Revision(2))
    }

    @Test("what was committed but is not on the disk any more is news, not silently agreed on")
    func vanished() async throws {
        let device = try TestDevice("a", server)
        let id = try await device.linkID()
        let change = try folder(7)
        let head = Head(namespace: server.namespace, revision: Revision(1), hash: .origin)
        try CommitSettlement(database: device.database, link: id).settle(UploadID(high: 1, low: 1), [change], at: head)
        let noted = try #require(try await overlay(device)[change.node])
        #expect(noted == RemoteNode(revision: Revision(1), state: change.state))
        #expect(try device.database.read { try SyncedQueries($0, link: id).count() } == 0)
    }
}
