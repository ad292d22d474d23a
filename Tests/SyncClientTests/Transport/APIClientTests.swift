import Blocks
import Foundation
import Model
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import SyncClient

/// Answers exchanges from a script.
final class ScriptedConnector: HTTPConnector {
    typealias Reply = @Sendable (HTTPExchange) throws -> HTTPAnswer
    private let replies: Mutex<[Reply]>
    let exchanges = Mutex<[HTTPExchange]>([])

    init(_ replies: [Reply]) { self.replies = Mutex(replies) }

    func perform(
        _ exchange: HTTPExchange, limit: Int, receive: (@Sendable ([UInt8]) async throws -> Void)?
    ) async throws -> HTTPAnswer {
        exchanges.withLock { $0.append(exchange) }
        let reply = replies.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        return try reply(exchange)
    }

    func shutdown() async throws {}
}

@Suite("Calls to the server")
struct APIClientTests {
    private let pauses = Pauses()

    final class Pauses: Sendable {
        let all = Mutex<[Duration]>([])
    }

    private func client(_ replies: ScriptedConnector.Reply...) throws -> (APIClient, ScriptedConnector) {
        let connector = ScriptedConnector(replies)
        let configuration = try TransportConfiguration(
            server: "https://cloud.example.org/", token: "secret",
            pause: { [pauses] pause in pauses.all.withLock { $0.append(pause) } })
        return (APIClient(configuration, workers: WorkerPool(threads: 1), connector: connector), connector)
    }

    private func answer(_ status: Int, _ body: [UInt8] = [], headers: [String: String] = [:]) -> HTTPAnswer {
        HTTPAnswer(status: status, headers: headers, body: body)
    }

    private func problem(_ code: ProblemCode, _ status: Int, retryAfter: Int? = nil) throws -> HTTPAnswer {
        let document = WireProtocol.Problem(
            code: code, title: "Title", status: status, detail: "the detail", retryAfter: retryAfter)
        return answer(status, [UInt8](try JSONEncoder().encode(document)))
    }

    private let namespace = NamespaceID(high: 1, low: 2)
    private var stored: StoredResponse { StoredResponse(added: 1, outcome: nil) }

    @Test("a call that the line cut is made again, with the same body, and counted")
    func retries() async throws {
        let (client, connector) = try client(
            { _ in throw ClientError(.unreachable, "cut") }, { [self] _ in try problem(.unavailable, 503) },
            { [self] _ in answer(200, try stored.encoded()) })
        let upload = UploadID(high: 3, low: 4)
        #expect(try await client.store(blocks: [], of: upload) == stored)
        let exchanges = connector.exchanges.withLock { $0 }
        #expect(exchanges.count == 3)
        #expect(Set(exchanges.map(\.path)) == ["/v1/blocks?upload=\(upload.hex)"])
        #expect(pauses.all.withLock { $0.count } == 2)
        #expect(client.traffic.requests == 3)
        #expect(client.traffic.sent > 100)
        #expect(client.traffic.received > 10)
    }

    private func bearers(_ connector: ScriptedConnector) -> [String] {
        connector.exchanges.withLock { $0.flatMap { $0.headers.filter { $0.name == "Authorization" }.map(\.value) } }
    }

    @Test("blocks go with the ticket that the announcement brought, until the upload is over")
    func ticket() async throws {
        let upload = UploadID(high: 3, low: 4)
        let request = UploadRequest(upload: upload, changes: [])
        let pending = try UploadOutcome.pending(missingBlocks: [], missingPages: []).encoded()
        let over = StoredResponse(added: 1, outcome: .refused([]))
        let (client, connector) = try client(
            { [self] _ in answer(200, pending, headers: ["x-cairn-upload-ticket": "cairnupload_A"]) },
            { [self] _ in answer(200, try stored.encoded()) }, { [self] _ in answer(200, try stored.encoded()) },
            { [self] _ in answer(200, try over.encoded()) }, { [self] _ in answer(200, try stored.encoded()) })
        _ = try await client.submit(request, to: namespace)
        _ = try await client.store(blocks: [], of: upload)
        _ = try await client.store(blocks: [], of: UploadID(high: 3, low: 5))
        _ = try await client.store(blocks: [], of: upload)
        _ = try await client.store(blocks: [], of: upload)
        let (own, its) = ("Bearer secret", "Bearer cairnupload_A")
        #expect(bearers(connector) == [own, its, own, its, own])
    }

    @Test("when a ticket is refused the device's own token decides")
    func refusedTicket() async throws {
        let upload = UploadID(high: 3, low: 4)
        let pending = try UploadOutcome.pending(missingBlocks: [], missingPages: []).encoded()
        let (client, connector) = try client(
            { [self] _ in answer(200, pending, headers: ["x-cairn-upload-ticket": "cairnupload_A"]) },
            { [self] _ in try problem(.unauthorized, 401) }, { [self] _ in answer(200, try stored.encoded()) },
            { [self] _ in try problem(.tokenRevoked, 401) })
        _ = try await client.submit(UploadRequest(upload: upload, changes: []), to: namespace)
        #expect(try await client.store(blocks: [], of: upload) == stored)
        #expect(await failure { try await client.store(blocks: [], of: upload) } == .unauthorized)
        let (own, its) = ("Bearer secret", "Bearer cairnupload_A")
        #expect(bearers(connector) == [own, its, own, own])
        #expect(pauses.all.withLock { $0 }.isEmpty)
    }

    @Test("a call that fails again and again ends with the error of the last attempt")
    func gives() async throws {
        let (client, connector) = try client({ _ in throw ClientError(.unreachable, "cut") })
        #expect(await failure { try await client.missing(of: []) } == .unreachable)
        #expect(connector.exchanges.withLock { $0.count } == RetryPolicy.standard.attempts)
    }

    @Test("a poll is made once: its loop is the caller's")
    func poll() async throws {
        let (client, connector) = try client({ _ in throw ClientError(.unreachable, "cut") })
        let request = PollRequest(cursors: [], timeout: 5)
        #expect(await failure { try await client.poll(request, at: .home) } == .unreachable)
        #expect(connector.exchanges.withLock { $0.count } == 1)
    }

    @Test("a poll elsewhere bears the poll token, and never the device's own")
    func pollElsewhere() async throws {
        let (client, connector) = try client({ [self] _ in answer(200, try PollResponse(moved: []).encoded()) })
        let request = PollRequest(cursors: [Cursor(namespace: namespace, revision: Revision(3))], timeout: 5)
        for place in [PollPlace(server: "http://n1:9/", token: "t"), PollPlace(server: nil, token: "t"), .home] {
            #expect(try await client.poll(request, at: place).moved.isEmpty)
        }
        let exchanges = connector.exchanges.withLock { $0 }
        #expect(exchanges.map(\.server) == ["http://n1:9", nil, nil])
        #expect(exchanges.map(\.path) == ["/v1/poll", "/v1/poll", "/v1/poll"])
        let tokens = exchanges.map { $0.headers.filter { $0.name == "Authorization" }.map(\.value) }
        #expect(tokens == [["Bearer t"], ["Bearer t"], ["Bearer secret"]])
        // Notification servers take no compressed bodies.
        #expect(exchanges.allSatisfy { !$0.headers.contains { $0.name == "Content-Encoding" } })
        #expect(await failure { try await client.poll(request, at: PollPlace(server: "n1", token: "t")) } == .usage)
    }

    @Test("a server without poll tokens offers none, and whoever is busy says for how long")
    func pollTokens() async throws {
        let given = PollTokenResponse(token: "t", expires: 9, lifetime: 600, servers: ["http://n1"])
        let (client, connector) = try client(
            { [self] _ in answer(200, [UInt8](try JSONEncoder().encode(given))) },
            { [self] _ in try problem(.notFound, 404) }, { [self] _ in answer(404) },
            { [self] _ in try problem(.unavailable, 503, retryAfter: 7) },
            { [self] _ in answer(503, headers: ["retry-after": "8"]) })
        #expect(try await client.pollToken() == given)
        #expect(try await client.pollToken() == nil)
        #expect(try await client.pollToken() == nil)
        for seconds in [7, 8] {
            do {
                _ = try await client.pollToken()
                Issue.record("a busy server gave a token")
            } catch let error as ClientError {
                #expect(error.code == .unavailable)
                #expect(error.retryAfter == .seconds(seconds))
            }
        }
        #expect(connector.exchanges.withLock { $0.map(\.path) } == [String](repeating: "/v1/poll/token", count: 5))
        #expect(pauses.all.withLock { $0 }.isEmpty)
    }

    @Test(
        "a problem document becomes an error with a code of its own",
        arguments: [
            (ProblemCode.tokenRevoked, 401, ClientError.Code.unauthorized), (.wrongCredentials, 401, .wrongCredentials),
            (.notFound, 404, .notOnServer), (.conflict, 409, .conflict), (.storageFull, 507, .serverFull),
            (.hashMismatch, 422, .unstable), (.tooLarge, 413, .tooLarge), (.corruptData, 500, .serverCorrupt),
            (.invalidRequest, 400, .rejected),
        ])
    func problems(code: ProblemCode, status: Int, expected: ClientError.Code) async throws {
        let (client, connector) = try client({ [self] _ in try problem(code, status) })
        #expect(await failure { try await client.devices() } == expected)
        #expect(connector.exchanges.withLock { $0.count } == 1)
    }

    @Test("an answer without a document, of a proxy perhaps, is read by its status")
    func proxies() async throws {
        let (client, connector) = try client(
            { [self] _ in answer(502, Array("<html>".utf8), headers: ["retry-after": "2"]) },
            { [self] _ in answer(200, Array("[]".utf8)) })
        #expect(try await client.devices().isEmpty)
        #expect(connector.exchanges.withLock { $0.count } == 2)
        #expect(pauses.all.withLock { $0[0] } >= .seconds(2))
    }

    @Test("bodies are compressed where that pays, both ways")
    func compression() async throws {
        let state = NodeState(
            parent: .root, name: try NodeName("a"), payload: .folder, mode: 0o755, modified: Timestamp(nanoseconds: 0))
        let changes = (0..<100).map { NodeChange(node: NodeID(high: 0, low: UInt64($0)), base: .zero, state: state) }
        let request = UploadRequest(upload: UploadID(high: 1, low: 1), changes: changes)
        let long = UploadOutcome.pending(
            missingBlocks: Array(repeating: BlockID(Content.empty.id.digest), count: 50), missingPages: [])
        let (client, connector) = try client({ [self] exchange in
            guard case .bytes(let body) = exchange.body else { throw ClientError(.usage, "no body") }
            #expect(exchange.headers.contains { $0.name == "Content-Encoding" && $0.value == "zstd" })
            let plain = try MessageCompression.decompress(body, atMost: 1 << 20)
            #expect(try UploadRequest(decoding: plain) == request)
            let packed = try #require(MessageCompression.compress(try long.encoded()))
            return answer(200, packed, headers: ["content-encoding": "zstd"])
        })
        #expect(try await client.submit(request, to: namespace) == long)
        let exchange = try #require(connector.exchanges.withLock { $0.first })
        #expect(exchange.headers.contains { $0.name == "Authorization" && $0.value == "Bearer secret" })
        #expect(exchange.headers.contains { $0.name == "Accept-Encoding" && $0.value == "zstd" })
    }

    @Test("an answer that is no message is a violation of the protocol, and not tried again")
    func garbage() async throws {
        let (client, connector) = try client({ [self] _ in answer(200, [0xFF, 0xFF, 0xFF]) })
        #expect(await failure { try await client.missing(of: []) } == .protocolViolation)
        #expect(connector.exchanges.withLock { $0.count } == 1)
        let (other, _) = try self.client({ [self] _ in answer(200, [1], headers: ["content-encoding": "br"]) })
        #expect(await failure { try await other.missing(of: []) } == .protocolViolation)
    }

    @Test("blocks other than those asked for are refused")
    func otherBlocks() async throws {
        let block = BlockEncoder().encode(
            UnsafeRawBufferPointer(start: nil, count: 0), id: BlockID(Content.empty.id.digest), as: .stored)
        let (client, _) = try client({ [self] _ in answer(200, try BlockBatch(blocks: [block]).encoded()) })
        let wanted = BlockID(SHA256Hasher.digest(of: [1, 2, 3]))
        #expect(await failure { try await client.fetch(blocks: [wanted]) } == .protocolViolation)
    }

    @Test("the query of a walk names where the next page begins")
    func changesQuery() async throws {
        let head = Head(namespace: namespace, revision: Revision(9), hash: .origin)
        let (client, connector) = try client({ [self] _ in
            answer(200, try ChangesResponse(head: head, entries: [], next: nil).encoded())
        })
        let position = ChangesPosition(revision: Revision(5), node: NodeID(high: 1, low: 2))
        let page = try await client.changes(in: namespace, since: Revision(4), upTo: Revision(9), after: position)
        #expect(page.head == head)
        let path = connector.exchanges.withLock { $0[0].path }
        #expect(
            path == "/v1/namespaces/\(namespace.hex)/changes?since=4&upto=9"
                + "&after=000000000000000500000000000000010000000000000002")
    }

    @Test("paths are escaped byte by byte")
    func escaping() throws {
        #expect(PercentEncoding.path(try RemotePath("/a b/ü%/~x")) == "a%20b/%C3%BC%25/~x")
        #expect(PercentEncoding.path(.root) == "")
    }

    @Test("a folder is listed page by page")
    func listing() async throws {
        let entry = FolderEntry(
            name: "n", href: "/n", kind: "file", size: 1, modified: "", mode: "0644", revision: 1, etag: nil)
        func page(_ next: String?) throws -> HTTPAnswer {
            answer(
                200,
                [UInt8](
                    try JSONEncoder().encode(
                        WireProtocol.FolderListing(path: "/", revision: 1, entries: [entry], next: next))))
        }
        let (first, second) = (try page("n"), try page(nil))
        let (client, connector) = try client({ _ in first }, { _ in second })
        var count = 0
        try await client.list(.root) { count += $0.entries.count }
        #expect(count == 2)
        #expect(connector.exchanges.withLock { $0.map(\.path) } == ["/v1/list/", "/v1/list/?after=n"])
    }

    @Test(
        "what is no server's address is refused",
        arguments: ["", "cloud", "ftp://x", "https://", "http://a b", "https://u@h"])
    func addresses(text: String) {
        #expect(throws: ClientError.self) { try TransportConfiguration(server: text) }
    }

    @Test("times go out as seconds with nine places and come back as HTTP writes them")
    func times() {
        #expect(ISOTime.seconds(Timestamp(nanoseconds: 1_767_323_045_000_000_007)) == "1767323045.000000007")
        #expect(ISOTime.seconds(Timestamp(nanoseconds: -1_500_000_000)) == "-1.500000000")
        #expect(ISOTime.readHTTP("Fri, 02 Jan 2026 03:04:05 GMT")?.seconds == 1_767_323_045)
        #expect(ISOTime.readHTTP("yesterday") == nil)
        #expect(ISOTime.text(Timestamp(nanoseconds: 1_767_323_045_123_000_000)) == "2026-01-02T03:04:05.123Z")
        #expect(ISOTime.day(Timestamp(nanoseconds: 1_767_323_045_000_000_000)) == "2026-01-02")
    }
}
