import Blocks
import Files
import HTTPTypes
import Model
import Testing
import WireProtocol

@Suite("The route that withdraws uploads", .serialized)
struct WithdrawRouteTests {
    private let upload = UploadID(high: 1, low: 1)
    private let file = DeviceFile(random: 3000, seed: 1)

    private func request(_ number: UInt64, _ name: String) -> UploadRequest {
        UploadRequest(
            upload: UploadID(high: 1, low: number), changes: [file.change(name, node: 1)],
            pages: file.pages.map(\.encoded))
    }

    @Test("a pending upload is withdrawn with 204, again and again, and all who speak of it get upload_superseded")
    func withdrawn() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                let uploads = "/v1/namespaces/\(server.home)/uploads"
                _ = try await client.send(request(1, "f"), to: uploads).message(UploadOutcome.self)
                for _ in 0..<2 {
                    let reply = try await client.call(.delete, "/v1/uploads/\(upload)")
                    #expect(reply.status == 204)
                    #expect(reply.bytes.isEmpty)
                }
                let batch = BlockBatch(blocks: file.blocks)
                let replies = [
                    try await client.send(request(1, "f"), to: uploads),
                    try await client.send(batch, to: "/v1/blocks?upload=\(upload)"),
                    try await client.send(PageBatch(pages: []), to: "/v1/uploads/\(upload)/pages"),
                ]
                for reply in replies {
                    #expect(reply.status == 409)
                    #expect(try reply.problem().code == .uploadSuperseded)
                }
                #expect(try await client.call(.get, uploads).json([PendingEntry].self).isEmpty)
            }
        }
    }

    @Test("what was committed is answered with its outcome")
    func committed() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                var whole = request(1, "f")
                whole.blocks = file.blocks
                let outcome = try await client.send(whole, to: "/v1/namespaces/\(server.home)/uploads")
                    .message(UploadOutcome.self)
                guard case .committed = outcome else { throw UploadRouteTests.Unexpected(outcome) }
                let reply = try await client.call(.delete, "/v1/uploads/\(upload)")
                #expect(reply.headers[.contentType] == WireLimits.mediaType)
                #expect(try reply.message(UploadOutcome.self) == outcome)
            }
        }
    }

    @Test("a newer upload of the same node replaces the older one, whose blocks are then refused")
    func replaced() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                let uploads = "/v1/namespaces/\(server.home)/uploads"
                for (number, name) in [(1, "f"), (2, "g")] as [(UInt64, String)] {
                    _ = try await client.send(request(number, name), to: uploads).message(UploadOutcome.self)
                }
                let batch = BlockBatch(blocks: file.blocks)
                let late = try await client.send(batch, to: "/v1/blocks?upload=\(upload)")
                #expect(try late.problem().code == .uploadSuperseded)
                let sent = try await client.send(batch, to: "/v1/blocks?upload=\(UploadID(high: 1, low: 2))")
                    .message(StoredResponse.self)
                guard case .committed? = sent.outcome else { throw UploadRouteTests.Unexpected(sent) }
                #expect(try await client.call(.get, "/v1/files/g").bytes == file.bytes)
                #expect(try await client.call(.get, "/v1/files/f").status == 404)
            }
        }
    }

    @Test("the id has to be one, the device the upload's own, and there is no other method")
    func wrong() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                #expect(try await client.call(.delete, "/v1/uploads/nonsense").problem().code == .invalidRequest)
                let reply = try await client.call(.get, "/v1/uploads/\(upload)")
                #expect(try reply.problem().code == .methodNotAllowed)
                #expect(reply.headers[.allow] == "DELETE")
                _ = try await client.send(request(1, "f"), to: "/v1/namespaces/\(server.home)/uploads")
                let phone = try await client.logIn().json(LoginResponse.self)
                try await server.connect(token: phone.token) { other async throws in
                    let reply = try await other.call(.delete, "/v1/uploads/\(upload)")
                    #expect(reply.status == 409)
                    #expect(try reply.problem().code == .conflict)
                }
                try await server.connect(token: .some(nil)) { nobody async throws in
                    #expect(try await nobody.call(.delete, "/v1/uploads/\(upload)").status == 401)
                }
            }
        }
    }
}
