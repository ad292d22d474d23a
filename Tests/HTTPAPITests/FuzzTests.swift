import Blocks
import HTTPTypes
import Model
import TestSupport
import Testing
import WireProtocol

/// Whatever bytes come, the answer is of the client's own making: never a fault of the server, and nothing is committed.
@Suite("Noise on the wire", .serialized)
struct FuzzTests {
    private static let routes: [(HTTPRequest.Method, String)] = [
        (.post, "/v1/login"), (.post, "/v1/blocks"), (.post, "/v1/blocks/fetch"), (.post, "/v1/blocks/missing"),
        (.post, "/v1/pages/fetch"), (.post, "/v1/poll"), (.post, "/v1/move"),
        (.post, "/v1/uploads/\(UploadID(high: 1, low: 1))/pages"),
    ]

    @Test("noise is refused by every route", arguments: [1, 2, 3] as [UInt64])
    func noise(seed: UInt64) async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                var random = SeededGenerator(seed: seed)
                let upload = "/v1/namespaces/\(server.home)/uploads"
                for (method, path) in Self.routes + [(.post, upload)] {
                    for _ in 0..<12 {
                        let bytes = random.bytes(.random(in: 0..<200, using: &random))
                        let reply = try await client.call(method, path, bytes)
                        let isEmptyQuestion = reply.status == 200 && bytes == [0]
                        #expect(
                            (400..<500).contains(reply.status) || isEmptyQuestion, "\(path) \(reply.status) \(bytes)")
                    }
                }
                let listing = try await client.call(.get, "/v1/list").json(FolderListing.self)
                #expect(listing.revision == 0)
            }
        }
    }

    @Test("a message with some of its bytes turned over is a message or an error", arguments: [1, 2, 3] as [UInt64])
    func mutations(seed: UInt64) async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                var random = SeededGenerator(seed: seed)
                let path = "/v1/namespaces/\(server.home)/uploads"
                for number in 1...60 {
                    let file = DeviceFile(
                        random: .random(in: 1..<9000, using: &random), seed: seed * 1000 + UInt64(number))
                    let request = UploadRequest(
                        upload: UploadID(high: 1, low: UInt64(number)),
                        changes: [file.change("f\(number)", node: UInt64(number))],
                        pages: file.pages.map(\.encoded), blocks: file.blocks)
                    var bytes = try request.encoded()
                    for _ in 0..<Int.random(in: 1..<4, using: &random) {
                        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^=
                            1 << UInt8.random(in: 0..<8, using: &random)
                    }
                    if Bool.random(using: &random) { bytes.removeLast(.random(in: 1..<20, using: &random)) }
                    let reply = try await client.call(.post, path, bytes)
                    #expect(reply.status < 500, "\(reply.status) \(reply.text)")
                }
                // What was committed all the same can be read back whole.
                let listing = try await client.call(.get, "/v1/list?limit=10000").json(FolderListing.self)
                for entry in listing.entries where entry.kind == "file" {
                    #expect(try await client.call(.get, "/v1/files\(entry.href)").bytes.count == Int(entry.size!))
                }
            }
        }
    }

    @Test("paths of noise are an error, or a name that comes back")
    func paths() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                var random = SeededGenerator(seed: 9)
                for _ in 0..<60 {
                    let bytes = random.bytes(.random(in: 1..<40, using: &random))
                    let escaped = bytes.map { "%" + [$0].hex }.joined()
                    let reply = try await client.call(.put, "/v1/files/\(escaped)", bytes)
                    if let name = try? NodeName(bytes: bytes) {
                        #expect(reply.status < 300, "\(name)")
                        #expect(try await client.call(.get, "/v1/files/\(escaped)").bytes == bytes)
                    } else {
                        #expect(try reply.problem().code == .invalidPath)
                    }
                }
            }
        }
    }

    @Test("heads of requests that are no HTTP close the connection, and the server goes on")
    func noHTTP() async throws {
        try await LiveServer.run { server async throws in
            for text in [
                "\r\n\r\n", "GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                "GET /health HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                "POST /v1/blocks HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
                "GET /\(String(repeating: "a", count: 100_000)) HTTP/1.1\r\n\r\n",
            ] {
                let connection = try RawConnection(port: server.port)
                connection.send(text)
                connection.finish()
                let answer = await connection.everything()
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer.prefix(80))")
            }
            try await server.connect { client async throws in
                #expect(try await client.call(.get, "/health").status == 200)
            }
        }
    }
}
