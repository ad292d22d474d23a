import Blocks
import HTTPTypes
import Model
import Testing
import WireProtocol

@Suite("The binary routes", .serialized)
struct UploadRouteTests {
    private func uploads(_ server: LiveServer) -> String { "/v1/namespaces/\(server.home)/uploads" }

    @Test("a file goes up in the four steps, and down again")
    func fourSteps() async throws {
        let file = DeviceFile(random: 100_000, seed: 1)
        let upload = UploadID(high: 1, low: 1)
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                let request = UploadRequest(
                    upload: upload, changes: [file.change("f", node: 1)], pages: file.pages.map(\.encoded))
                let announced = try await client.send(request, to: uploads(server)).message(UploadOutcome.self)
                guard case .pending(let missing, []) = announced else { throw Unexpected(announced) }
                #expect(missing == file.blocks.map(\.id))
                let pending = try await client.call(.get, uploads(server)).json([PendingEntry].self)
                #expect(pending.map(\.name) == ["f"])
                #expect(pending.map(\.size) == [100_000])
                let stored = try await client.send(BlockBatch(blocks: file.blocks), to: "/v1/blocks?upload=\(upload)")
                    .message(StoredResponse.self)
                #expect(stored.added == file.blocks.count)
                guard case .committed(let revision, _)? = stored.outcome else { throw Unexpected(stored) }
                #expect(revision == Revision(1))

                let changes = try await client.call(.get, "/v1/namespaces/\(server.home)/changes?since=0")
                    .message(ChangesResponse.self)
                #expect(changes.head.revision == Revision(1))
                #expect(changes.entries.map { $0.state?.payload.content } == [file.content])
                #expect(changes.next == nil)
                let pages = try await client.send(
                    PageQuestion(items: [.init(want: file.content.id)]), to: "/v1/pages/fetch"
                ).message(PageBatch.self)
                #expect(Set(pages.pages) == Set(file.pages.map(\.encoded)))
                let blocks = try await client.send(BlockNames(blocks: file.blocks.map(\.id)), to: "/v1/blocks/fetch")
                    .message(BlockBatch.self)
                #expect(blocks.blocks == file.blocks)
                #expect(try await client.call(.get, "/v1/files/f").bytes == file.bytes)
            }
        }
    }

    struct Unexpected: Error {
        let value: String
        init(_ value: some Any) { self.value = "\(value)" }
    }

    @Test("small files ride along with their announcement")
    func inline() async throws {
        let files = (0..<50).map { DeviceFile(Array("text of file \($0)".utf8)) }
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                let request = UploadRequest(
                    upload: UploadID(high: 1, low: 1),
                    changes: files.enumerated().map { $1.change("f\($0)", node: UInt64($0) + 1) },
                    blocks: files.flatMap(\.blocks))
                let outcome = try await client.send(request, to: uploads(server)).message(UploadOutcome.self)
                guard case .committed = outcome else { throw Unexpected(outcome) }
                #expect(try await client.call(.get, "/v1/files/f33").text == "text of file 33")
                let page = try await client.call(.get, "/v1/namespaces/\(server.home)/changes?since=0&limit=20")
                    .message(ChangesResponse.self)
                #expect(page.entries.count == 20)
                let next = try #require(page.next)
                let after = ([UInt8](bigEndian: next.revision.number) + next.node.bytes).hex
                let rest = try await client.call(
                    .get, "/v1/namespaces/\(server.home)/changes?since=0&upto=1&after=\(after)&limit=100"
                ).message(ChangesResponse.self)
                #expect(rest.entries.count == 30)
            }
        }
    }

    @Test("a large file is streamed in windows of pages")
    func streaming() async throws {
        let file = DeviceFile(random: 200_000, seed: 2)
        let upload = UploadID(high: 1, low: 1)
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                let item = UploadItem(
                    node: NodeID(high: 1, low: 1), parent: .root, name: try NodeName("f"), size: 200_000)
                _ = try await client.send(
                    UploadRequest(upload: upload, complete: false, items: [item]), to: uploads(server)
                ).message(UploadOutcome.self)
                let missing = try await client.send(
                    PageBatch(pages: file.pages.map(\.encoded)), to: "/v1/uploads/\(upload)/pages"
                ).message(MissingResponse.self)
                #expect(Set(missing.blocks) == Set(file.blocks.map(\.id)))
                let left = try await client.send(BlockNames(blocks: missing.blocks), to: "/v1/blocks/missing")
                    .message(MissingResponse.self)
                #expect(left.blocks == missing.blocks)
                _ = try await client.send(BlockBatch(blocks: file.blocks), to: "/v1/blocks").message(
                    StoredResponse.self)
                let outcome = try await client.send(
                    UploadRequest(upload: upload, changes: [file.change("f", node: 1)]), to: uploads(server)
                ).message(UploadOutcome.self)
                guard case .committed = outcome else { throw Unexpected(outcome) }
            }
        }
    }

    @Test("messages may be compressed, both ways")
    func compression() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                let names = BlockNames(
                    blocks: (0..<500).map { number in
                        BlockID(Digest(words: (UInt64(number), 0, 0, 0)))
                    })
                let plain = try names.encoded()
                let packed = try #require(MessageCompression.compress(plain))
                let headers: HTTPFields = [.contentEncoding: "zstd", .acceptEncoding: "gzip, zstd;q=0.9"]
                let reply = try await client.call(.post, "/v1/blocks/missing", packed, headers: headers)
                #expect(reply.headers[.contentEncoding] == "zstd")
                #expect(reply.bytes.count < plain.count)
                let message = try MissingResponse(decoding: MessageCompression.decompress(reply.bytes, atMost: 1 << 20))
                #expect(message.blocks == names.blocks)
                let refused = try await client.call(
                    .post, "/v1/blocks/missing", plain, headers: [.acceptEncoding: "zstd;q=0"])
                #expect(refused.headers[.contentEncoding] == nil)
                #expect(
                    try await client.call(.post, "/v1/blocks/missing", plain, headers: [.contentEncoding: "zstd"])
                        .problem().code == .invalidRequest)
                #expect(
                    try await client.call(.post, "/v1/blocks/missing", plain, headers: [.contentEncoding: "br"]).status
                        == 415)
            }
        }
    }

    @Test("a compressed message that grows beyond the bound is refused")
    func bomb() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                let bomb = try #require(MessageCompression.compress([UInt8](repeating: 0, count: 64 << 20)))
                let reply = try await client.call(.post, "/v1/blocks", bomb, headers: [.contentEncoding: "zstd"])
                #expect(try reply.problem().code == .tooLarge)
            }
        }
    }

    @Test("a block whose bytes do not match its hash is refused by name")
    func hashMismatch() async throws {
        let (file, other) = (DeviceFile(Array("one".utf8)), DeviceFile(Array("two".utf8)))
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                let lie = EncodedBlock(
                    id: file.blocks[0].id, codec: .stored, length: 3, payload: other.blocks[0].payload)
                let problem = try await client.send(BlockBatch(blocks: [lie]), to: "/v1/blocks").problem()
                #expect(problem.code == .hashMismatch)
                #expect(problem.detail.contains("\(file.blocks[0].id)"))
            }
        }
    }

    @Test("what can't be read as a message, or names nothing, is told as such")
    func badMessages() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                func code(_ path: String, _ bytes: [UInt8]) async throws -> ProblemCode {
                    try await client.call(.post, path, bytes).problem().code
                }
                #expect(try await code("/v1/blocks", [5, 1, 2]) == .invalidRequest)
                #expect(try await code("/v1/blocks", [0, 0]) == .invalidRequest)
                #expect(try await code("/v1/blocks?upload=x", [0]) == .invalidRequest)
                #expect(try await code("/v1/blocks?upload=\(UploadID(high: 9, low: 9))", [0]) == .notFound)
                #expect(try await code("/v1/blocks/missing", [0xFF, 0xFF, 0xFF, 0x7F]) == .tooLarge)
                #expect(try await code("/v1/namespaces/xyz/uploads", [0]) == .invalidRequest)
                #expect(
                    try await code("/v1/poll", try PollRequest(cursors: [], timeout: 1).encoded()) == .invalidRequest)
                let changes = "/v1/namespaces/\(server.home)/changes"
                for query in ["", "?since=x", "?since=-1", "?since=0&after=00", "?since=0&limit=0", "?since=0&upto=7"] {
                    #expect(try await client.call(.get, changes + query).problem().code == .invalidRequest, "\(query)")
                }
                #expect(try await client.call(.get, changes + "?since=9").problem().code == .conflict)
                let unknown = BlockNames(blocks: [BlockID(Digest(words: (1, 2, 3, 4)))])
                #expect(try await client.send(unknown, to: "/v1/blocks/fetch").problem().code == .notFound)
            }
        }
    }

    @Test("paths and methods that are not offered are 404 and 405")
    func unknownRoutes() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                #expect(try await client.call(.get, "/v1/nothing").problem().code == .notFound)
                let reply = try await client.call(.get, "/v1/blocks")
                #expect(try reply.problem().code == .methodNotAllowed)
                #expect(reply.headers[.allow] == "POST")
                #expect(try await client.call(.patch, "/v1/files/f").headers[.allow] == "GET, HEAD, PUT, DELETE")
            }
        }
    }
}
