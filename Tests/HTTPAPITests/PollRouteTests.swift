import Blocks
import Hummingbird
import Model
import Notifications
import Testing
import WireProtocol

@Suite("The long poll over HTTP", .serialized)
struct PollRouteTests {
    @Test("a poll is answered by the commit of another device, and at once when it comes late")
    func wakes() async throws {
        try await LiveServer.run { server async throws in
            let login = try await server.connect(token: .some(nil)) { try await $0.logIn().json(LoginResponse.self) }
            async let woken = server.connect(token: login.token) { phone async throws in
                try await phone.poll(server.home, at: 0).message(PollResponse.self)
            }
            await server.waitForParked(1)
            try await server.connect { laptop async throws in _ = try await laptop.call(.put, "/v1/files/f", [1]) }
            #expect(try await woken.moved == [.init(namespace: server.home, revision: Revision(1), pending: false)])
            try await server.connect(token: login.token) { phone async throws in
                let late = try await phone.poll(server.home, at: 0).message(PollResponse.self)
                #expect(late.moved.map(\.revision) == [Revision(1)])
                let none = try await phone.poll(server.home, at: 1, timeout: 0).message(PollResponse.self)
                #expect(none.moved.isEmpty)
            }
        }
    }

    @Test("a poll is answered by the announcement of a file, too")
    func pending() async throws {
        let file = DeviceFile(random: 5000, seed: 1)
        try await LiveServer.run { server async throws in
            let login = try await server.connect(token: .some(nil)) { try await $0.logIn().json(LoginResponse.self) }
            async let woken = server.connect(token: login.token) { phone async throws in
                try await phone.poll(server.home, at: 0).message(PollResponse.self)
            }
            await server.waitForParked(1)
            let request = UploadRequest(
                upload: UploadID(high: 1, low: 1), changes: [file.change("f", node: 1)],
                pages: file.pages.map(\.encoded))
            try await server.connect { laptop async throws in
                _ = try await laptop.send(request, to: "/v1/namespaces/\(server.home)/uploads")
            }
            #expect(try await woken.moved == [.init(namespace: server.home, revision: .zero, pending: true)])
        }
    }

    @Test("a device that is revoked in the middle of its poll is told at once")
    func revoked() async throws {
        try await LiveServer.run { server async throws in
            let login = try await server.connect(token: .some(nil)) { try await $0.logIn().json(LoginResponse.self) }
            async let reply = server.connect(token: login.token) { phone async throws in
                try await phone.poll(server.home, at: 0)
            }
            await server.waitForParked(1)
            try await server.connect { laptop async throws in
                #expect(try await laptop.call(.delete, "/v1/devices/\(login.deviceID)").status == 204)
            }
            #expect(try await reply.problem().code == .tokenRevoked)
            #expect(server.notifications.parkedCount == 0)
        }
    }

    @Test("the second poll of a device ends the first with an empty answer")
    func replaced() async throws {
        try await LiveServer.run { server async throws in
            async let first = server.connect { try await $0.poll(server.home, at: 0).message(PollResponse.self) }
            await server.waitForParked(1)
            async let second = server.connect { try await $0.poll(server.home, at: 0).message(PollResponse.self) }
            #expect(try await first.moved.isEmpty)
            await server.waitForParked(1)
            try await server.connect { _ = try await $0.call(.put, "/v1/files/f", [1]) }
            #expect(try await second.moved.count == 1)
        }
    }

    @Test("a client that hangs up leaves no poll behind")
    func hangUp() async throws {
        try await LiveServer.run { server async throws in
            let request = try PollRequest(
                cursors: [Cursor(namespace: server.home, revision: .zero)], timeout: 600
            ).encoded()
            let connection = try RawConnection(port: server.port)
            connection.send(
                "POST /v1/poll HTTP/1.1\r\nHost: x\r\nAuthorization: \(server.bearer)\r\nContent-Length: \(request.count)\r\n\r\n"
            )
            connection.send(bytes: request)
            await server.waitForParked(1)
            connection.close()
            await server.waitForParked(0)
        }
    }

    @Test("a connection goes on after a poll")
    func keepAlive() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                for _ in 0..<3 {
                    #expect(try await client.poll(server.home, at: 0, timeout: 0).status == 200)
                    #expect(try await client.call(.get, "/v1/session").status == 200)
                }
            }
        }
    }

    @Test("a poll of another's namespace is refused and not parked")
    func othersNamespace() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                let reply = try await client.poll(NamespaceID(high: 6, low: 6), at: 0)
                #expect(try reply.problem().code == .notFound)
                #expect(server.notifications.parkedCount == 0)
            }
        }
    }

    @Test("a server that stops answers the polls that are parked")
    func stop() async throws {
        try await LiveServer.run { server async throws in
            async let reply = server.connect { try await $0.poll(server.home, at: 0).message(PollResponse.self) }
            await server.waitForParked(1)
            server.notifications.drain()
            #expect(try await reply.moved.isEmpty)
        }
    }
}
