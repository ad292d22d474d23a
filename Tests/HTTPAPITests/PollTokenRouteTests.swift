import Files
import HTTPTypes
import Hummingbird
import Model
import Notifications
import TestSupport
import Testing
import WireProtocol

@Suite("Poll tokens over HTTP", .serialized)
struct PollTokenRouteTests {
    private static func token(_ client: APIClient) async throws -> PollTokenResponse {
        try await client.call(.post, "/v1/poll/token").json(PollTokenResponse.self)
    }

    @Test("a device gets a token, and hears where to poll with it")
    func issue() async throws {
        try await LiveServer.run(pollServers: ["http://n1", "https://n2:9"]) { server async throws in
            try await server.connect { client async throws in
                let answer = try await Self.token(client)
                #expect(answer.servers == ["http://n1", "https://n2:9"])
                #expect(answer.lifetime == 600)
                #expect(answer.expires == UInt64(server.clock.now().seconds) + 600)
                let token = try server.context.pollTokens.verify(answer.token)
                #expect(token.namespaces == [server.home])
                #expect(try await client.call(.get, "/v1/poll/token").problem().code == .methodNotAllowed)
            }
        }
    }

    @Test("a poll with a poll token parks like any other, and is woken")
    func polls() async throws {
        try await LiveServer.run { server async throws in
            let login = try await server.connect(token: .some(nil)) { try await $0.logIn().json(LoginResponse.self) }
            let token = try await server.connect(token: login.token) { try await Self.token($0) }
            #expect(token.servers == [])
            async let woken = server.connect(token: token.token) { phone async throws in
                try await phone.poll(server.home, at: 0).message(PollResponse.self)
            }
            await server.waitForParked(1)
            try await server.connect { laptop async throws in _ = try await laptop.call(.put, "/v1/files/f", [1]) }
            #expect(try await woken.moved == [.init(namespace: server.home, revision: Revision(1), pending: false)])
        }
    }

    @Test("a poll token opens the poll and nothing else")
    func nothingElse() async throws {
        try await LiveServer.run { server async throws in
            let token = try await server.connect { try await Self.token($0) }
            try await server.connect(token: token.token) { client async throws in
                for (method, path) in [
                    (HTTPRequest.Method.get, "/v1/session"), (.post, "/v1/poll/token"), (.get, "/v1/list/"),
                    (.get, "/v1/events"), (.put, "/v1/files/f"),
                ] {
                    let reply = try await client.call(method, path, method == .put ? [1] : nil)
                    #expect(try reply.problem().code == .unauthorized, "\(path)")
                }
            }
        }
    }

    @Test("a poll token is for the namespaces that it names, whether there are others or not")
    func otherNamespaces() async throws {
        try await LiveServer.run { server async throws in
            let token = try await server.connect { try await Self.token($0) }
            try await server.connect(token: token.token) { client async throws in
                let reply = try await client.poll(NamespaceID(high: 6, low: 6), at: 0)
                #expect(reply.status == 403)
                #expect(try reply.problem().code == .forbidden)
                #expect(server.notifications.parkedCount == 0)
            }
        }
    }

    @Test("a poll token ends with its time, and is none when it is changed")
    func bad() async throws {
        try await LiveServer.run { server async throws in
            let token = try await server.connect { try await Self.token($0) }
            for bad in [String(token.token.dropLast(2)), token.token + "AA", "cairnpoll_", "cairnpoll_%"] {
                try await server.connect(token: bad) { client async throws in
                    #expect(try await client.poll(server.home, at: 0).problem().code == .unauthorized)
                }
            }
            server.clock.advance(by: .seconds(600))
            try await server.connect(token: token.token) { client async throws in
                let reply = try await client.poll(server.home, at: 0)
                #expect(try reply.problem().code == .unauthorized)
                #expect(reply.headers[.wwwAuthenticate] != nil)
            }
            try await server.connect(token: .some(nil)) { guest async throws in
                #expect(try await guest.poll(server.home, at: 0).problem().code == .unauthorized)
                #expect(try await guest.call(.post, "/v1/poll/token").problem().code == .unauthorized)
            }
        }
    }

    @Test("a device that is revoked loses the poll that it parked, and polls no more with a token that it had")
    func revoked() async throws {
        try await LiveServer.run { server async throws in
            let login = try await server.connect(token: .some(nil)) { try await $0.logIn().json(LoginResponse.self) }
            let token = try await server.connect(token: login.token) { try await Self.token($0) }
            async let parked = server.connect(token: token.token) { try await $0.poll(server.home, at: 0) }
            await server.waitForParked(1)
            try await server.connect { laptop async throws in
                #expect(try await laptop.call(.delete, "/v1/devices/\(login.deviceID)").status == 204)
            }
            #expect(try await parked.problem().code == .tokenRevoked)
            try await server.connect(token: token.token) { phone async throws in
                #expect(try await phone.poll(server.home, at: 0).problem().code == .tokenRevoked)
            }
            try await server.connect(token: login.token) { phone async throws in
                #expect(try await phone.call(.post, "/v1/poll/token").problem().code == .tokenRevoked)
            }
        }
    }
}
