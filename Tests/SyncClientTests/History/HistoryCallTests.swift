import Foundation
import Model
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import SyncClient

@Suite("Calls about the history")
struct HistoryCallTests {
    private let home = TemporaryDirectory()

    /// A client whose server answers from a script, the last answer again and again.
    private func client(_ replies: [HTTPAnswer]) throws -> (Client, ScriptedConnector) {
        let connector = ScriptedConnector(replies.map { reply in { _ in reply } })
        let workers = WorkerPool(threads: 1)
        let configuration = try TransportConfiguration(server: "https://h", token: "t", pause: { _ in })
        let server = APIClient(configuration, workers: workers, connector: connector)
        let credentials = Credentials(
            server: "https://h", certificateAuthority: nil, account: "ada", device: "laptop", deviceID: "00",
            namespaceID: "00", token: "t")
        let client = try Client(
            home: ClientHome(folder: home.path), credentials: credentials, workers: workers, server: server,
            clock: ManualClock())
        return (client, connector)
    }

    private func json(_ value: some Encodable, _ status: Int = 200) throws -> HTTPAnswer {
        HTTPAnswer(status: status, headers: [:], body: [UInt8](try JSONEncoder().encode(value)))
    }

    private func calls(_ connector: ScriptedConnector) -> [String] {
        connector.exchanges.withLock { $0.map { "\($0.method) \($0.path)" } }
    }

    private func entries(_ revisions: ClosedRange<UInt64>) -> [VersionEntry] {
        revisions.reversed().map {
            VersionEntry(revision: $0, changes: ["edited"], modified: "", mode: "0644", kept: true, current: false)
        }
    }

    private func listing(_ nodes: NodeVersions...) throws -> HTTPAnswer {
        try json(VersionListing(path: "/a", nodes: nodes))
    }

    @Test("the pages of each node are put together, in order, with what they hide")
    func versions() async throws {
        let (client, connector) = try client([
            try listing(
                NodeVersions(node: "n1", entries: entries(8...9), hidden: 1, next: 8),
                NodeVersions(node: "n2", entries: entries(3...3), hidden: 0)),
            try listing(NodeVersions(node: "n1", entries: [], hidden: 4, next: 6)),
            try listing(NodeVersions(node: "n1", entries: entries(4...5), hidden: 2)),
        ])
        let found = try await client.versions(of: try RemotePath("/a b/ü"), showsAll: false)
        #expect(found.nodes.map { $0.entries.map(\.revision) } == [[9, 8, 5, 4], [3]])
        #expect(found.nodes.map(\.hidden) == [7, 0])
        #expect(found.nodes.allSatisfy { $0.next == nil })
        let path = "GET /v1/history/a%20b/%C3%BC"
        #expect(calls(connector) == [path, "\(path)?node=n1&before=8", "\(path)?node=n1&before=6"])
        try await client.close()
    }

    @Test("a node that is gone from the second page ends its list")
    func vanished() async throws {
        let first = NodeVersions(node: "n1", entries: entries(8...9), hidden: 0, next: 8)
        let (client, connector) = try client([try listing(first), try listing()])
        let found = try await client.versions(of: try RemotePath("/a"), showsAll: true)
        #expect(found.nodes.map { $0.entries.count } == [2])
        let path = "GET /v1/history/a?all=true"
        #expect(calls(connector) == [path, "\(path)&node=n1&before=8"])
        try await client.close()
    }

    private func deleted(_ count: Int, next: String?) throws -> HTTPAnswer {
        let entry = DeletedEntry(path: "/f/x", href: "/f/x", kind: "file", node: "n", revision: 2, kept: true)
        return try json(
            DeletedListing(path: "/f", entries: [DeletedEntry](repeating: entry, count: count), next: next))
    }

    @Test("what was deleted is asked for until there is enough, over pages that are empty")
    func deletedPages() async throws {
        let (client, connector) = try client([
            try deleted(1000, next: "a/b"), try deleted(0, next: "c"), try deleted(200, next: "d"),
        ])
        var count = 0
        let more = try await client.deleted(below: try RemotePath("/f"), limit: 1200) { _ in count += 1 }
        #expect(count == 1200 && more)
        let path = "GET /v1/deleted/f?limit="
        #expect(calls(connector) == ["\(path)1000", "\(path)200&after=a%2Fb", "\(path)200&after=c"])
        try await client.close()
    }

    @Test("there is no more when the last page says so")
    func deletedEnd() async throws {
        let (client, connector) = try client([try deleted(2, next: "x"), try deleted(0, next: nil)])
        #expect(try await !client.deleted(below: .root, limit: 50) { _ in })
        #expect(calls(connector) == ["GET /v1/deleted/?limit=50", "GET /v1/deleted/?limit=48&after=x"])
        try await client.close()
    }

    @Test("a restore sends escaped paths, leaves out what was not said, and is given an hour")
    func restore() async throws {
        let done = HistoryAnswer(
            revision: 9, source: 4, dryRun: false, commits: 1, changed: 1, changes: [], leftCount: 0, left: [])
        let (client, connector) = try client([try json(done)])
        let path = try RemotePath("/a b")
        #expect(try await client.restore(path, at: nil, to: nil, isDry: false) == done)
        _ = try await client.restore(path, at: "4", to: try RemotePath("/ü"), isDry: true)
        _ = try await client.rewind(.root, to: "4", isDry: false)
        let sent = connector.exchanges.withLock { $0 }
        let bodies = try sent.map { exchange -> Data in
            guard case .bytes(let bytes) = exchange.body else { throw ClientError(.usage, "no body") }
            return Data(bytes)
        }
        #expect(try JSONSerialization.jsonObject(with: bodies[0]) as? [String: String] == ["path": "/a%20b"])
        let second = try JSONDecoder().decode(RestoreRequest.self, from: bodies[1])
        #expect(second == RestoreRequest(path: "/a%20b", at: "4", to: "/%C3%BC", dryRun: true))
        let third = try JSONDecoder().decode(RewindRequest.self, from: bodies[2])
        #expect(third == RewindRequest(path: "/", at: "4"))
        #expect(sent.map(\.timeout) == [Duration](repeating: .seconds(3600), count: 3))
        try await client.close()
    }

    @Test("a pin's address bears the point, escaped, or none")
    func pins() async throws {
        let path = try RemotePath("/a")
        #expect(APIClient.address("pins", path, at: nil) == "/v1/pins/a")
        #expect(
            APIClient.address("pins", path, at: "2026-03-29T02:30:00+01:00")
                == "/v1/pins/a?at=2026-03-29T02%3A30%3A00%2B01%3A00")
        let (client, connector) = try client([try json(UnpinnedResponse(removed: 3))])
        #expect(try await client.unpin(path, at: nil) == 3)
        #expect(calls(connector) == ["DELETE /v1/pins/a"])
        try await client.close()
    }

    @Test(
        "a version that is not kept and a full account have codes of their own, and are not tried again",
        arguments: [
            (ProblemCode.versionNotKept, 410, ClientError.Code.versionNotKept), (.quotaExceeded, 507, .overQuota),
            (.preconditionFailed, 412, .conflict), (.alreadyExists, 409, .alreadyOnServer),
            (.forbidden, 403, .unauthorized), (.uploadSuperseded, 409, .superseded),
        ])
    func problems(code: ProblemCode, status: Int, expected: ClientError.Code) async throws {
        let problem = WireProtocol.Problem(code: code, title: "Title", status: status, detail: "nearest: 3 and 7")
        let (client, connector) = try client([try json(problem, status)])
        let error = await #expect(throws: ClientError.self) {
            try await client.restore(try RemotePath("/a"), at: "5", to: nil, isDry: false)
        }
        #expect(error?.code == expected && error?.message == "nearest: 3 and 7")
        #expect(error?.isRetryable == false)
        #expect(calls(connector) == ["POST /v1/restore"])
        try await client.close()
    }
}
