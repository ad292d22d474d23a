import Blocks
import Files
import HTTPTypes
import Hummingbird
import Messaging
import Model
import TestSupport
import Testing
import WireProtocol

@Suite("Upload tickets over HTTP", .serialized)
struct UploadTicketRouteTests {
    private static let upload = UploadID(high: 1, low: 1)
    private static let file = DeviceFile(random: 100_000, seed: 1)

    /// Announces a file, and answers the ticket for it.
    private static func announce(_ server: LiveServer) async throws -> String {
        try await server.connect { client async throws in
            let request = UploadRequest(
                upload: upload, changes: [file.change("f", node: 1)], pages: file.pages.map(\.encoded))
            let reply = try await client.send(request, to: "/v1/namespaces/\(server.home)/uploads")
            return try #require(reply.headers[HTTPField.Name(UploadTicket.header).unsafelyUnwrapped])
        }
    }

    private static func store(_ client: APIClient, for upload: UploadID? = upload) async throws -> APIClient.Reply {
        try await client.send(
            BlockBatch(blocks: file.blocks), to: upload.map { "/v1/blocks?upload=\($0)" } ?? "/v1/blocks")
    }

    @Test("who has the ticket of an upload brings its blocks, without a session")
    func stores() async throws {
        try await LiveServer.run { server async throws in
            let ticket = try await Self.announce(server)
            let said = try server.context.uploadTickets.verify(ticket)
            #expect(said.upload == Self.upload && said.principal.home == server.home)
            let stored = try await server.connect(token: ticket) {
                try await Self.store($0).message(StoredResponse.self)
            }
            #expect(stored.added == Self.file.blocks.count)
            guard case .committed(Revision(1), _)? = stored.outcome else {
                Issue.record("the upload was not committed: \(stored)")
                return
            }
            // What is committed needs no ticket.
            try await server.connect { client async throws in
                let request = UploadRequest(
                    upload: Self.upload, changes: [Self.file.change("f", node: 1)],
                    pages: Self.file.pages.map(\.encoded))
                let reply = try await client.send(request, to: "/v1/namespaces/\(server.home)/uploads")
                #expect(reply.headers[HTTPField.Name(UploadTicket.header).unsafelyUnwrapped] == nil)
            }
        }
    }

    @Test("a ticket opens nothing else")
    func nothingElse() async throws {
        try await LiveServer.run { server async throws in
            let ticket = try await Self.announce(server)
            try await server.connect(token: ticket) { client async throws in
                for (method, path) in [
                    (HTTPRequest.Method.get, "/v1/session"), (.post, "/v1/poll/token"), (.get, "/v1/list/"),
                    (.put, "/v1/files/f"), (.post, "/v1/blocks/fetch"), (.post, "/v1/blocks/missing"),
                ] {
                    let reply = try await client.call(method, path, method == .get ? nil : [1])
                    #expect(try reply.problem().code == .unauthorized, "\(path)")
                }
                for other in [UploadID(high: 1, low: 2), nil] {
                    #expect(try await Self.store(client, for: other).problem().code == .unauthorized)
                }
            }
        }
    }

    @Test("a ticket is refused when its time is over, when it was altered, and when its device was revoked")
    func refused() async throws {
        try await LiveServer.run { server async throws in
            let ticket = try await Self.announce(server)
            try await server.connect(token: String(ticket.dropLast()) + (ticket.hasSuffix("A") ? "E" : "A")) {
                client async throws in
                #expect(try await Self.store(client).problem().code == .unauthorized)
            }
            let said = try server.context.uploadTickets.verify(ticket)
            let later = try server.context.uploadTickets.issue(
                for: Self.upload,
                to: Principal(account: said.principal.account, device: DeviceID(high: 5, low: 5), home: server.home))
            await server.context.bus.publish(.revoked(said.principal.device))
            try await server.connect(token: ticket) { client async throws in
                #expect(try await Self.store(client).problem().code == .tokenRevoked)
            }
            server.clock.advance(by: .seconds(Int64(UploadTicket.lifetime) - 1))
            #expect(try server.context.uploadTickets.verify(later).upload == Self.upload)
            server.clock.advance(by: .seconds(1))
            try await server.connect(token: later) { client async throws in
                #expect(try await Self.store(client).problem().code == .unauthorized)
            }
        }
    }
}
