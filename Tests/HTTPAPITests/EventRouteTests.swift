import Blocks
import Foundation
import HTTPTypes
import Hummingbird
import Model
import Notifications
import Testing
import WireProtocol

@testable import HTTPAPI

@Suite("Server-sent events", .serialized, .timeLimit(.minutes(1)))
struct EventRouteTests {
    private static func connect(_ server: LiveServer, _ bearer: String) throws -> RawConnection {
        let connection = try RawConnection(port: server.port)
        connection.send("GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: \(bearer)\r\n\r\n")
        return connection
    }

    /// The data of the events in a stream.
    private static func events(in text: String) throws -> [NewsEvent] {
        try text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { line in
            try JSONDecoder().decode(NewsEvent.self, from: Data(line.dropFirst(6).utf8))
        }
    }

    @Test("tell of announcements and commits, and end when the device is revoked")
    func news() async throws {
        let file = DeviceFile(random: 5000, seed: 1)
        try await LiveServer.run { server async throws in
            let login = try await server.connect(token: .some(nil)) { try await $0.logIn().json(LoginResponse.self) }
            let connection = try Self.connect(server, "Bearer \(login.token)")
            await server.waitForParked(1)
            try await server.connect { laptop async throws in
                let request = UploadRequest(
                    upload: UploadID(high: 1, low: 1), changes: [file.change("f", node: 1)],
                    pages: file.pages.map(\.encoded))
                _ = try await laptop.send(request, to: "/v1/namespaces/\(server.home)/uploads")
                await server.waitForAdmitted(2)
                _ = try await laptop.call(.put, "/v1/files/g", [1])
                await server.waitForAdmitted(3)
                #expect(try await laptop.call(.delete, "/v1/devices/\(login.deviceID)").status == 204)
            }
            let text = await connection.everything()
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(text.lowercased().contains("content-type: text/event-stream\r\n"))
            #expect(text.contains("event: moved\n"))
            #expect(
                try Self.events(in: text) == [
                    NewsEvent(namespace: server.home.hex, revision: 0, state: .pending),
                    NewsEvent(namespace: server.home.hex, revision: 1, state: .uploaded),
                ])
            await server.waitForParked(0)
        }
    }

    @Test("say that they are there still when nothing happens")
    func heartbeat() async throws {
        var limits = APILimits()
        limits.heartbeat = 0
        try await LiveServer.run(limits: limits) { server async throws in
            let login = try await server.connect(token: .some(nil)) { try await $0.logIn().json(LoginResponse.self) }
            let connection = try Self.connect(server, "Bearer \(login.token)")
            await server.waitForAdmitted(3)
            try await server.connect { laptop async throws in
                _ = try await laptop.call(.delete, "/v1/devices/\(login.deviceID)")
            }
            let text = await connection.everything()
            #expect(text.contains("retry: 3000\n\n"))
            #expect(text.components(separatedBy: ": still here\n\n").count > 2)
            #expect(try Self.events(in: text) == [])
        }
    }

    @Test("of several pages of one device do not end each other")
    func severalPages() async throws {
        try await LiveServer.run { server async throws in
            let pages = [try Self.connect(server, server.bearer), try Self.connect(server, server.bearer)]
            await server.waitForParked(2)
            try await server.connect { laptop async throws in _ = try await laptop.call(.put, "/v1/files/f", [1]) }
            await server.waitForAdmitted(4)
            server.notifications.drain()
            for page in pages {
                #expect(try Self.events(in: await page.everything()).map(\.revision) == [1])
            }
        }
    }

    @Test("that nobody reads any more leave nothing behind")
    func hangUp() async throws {
        try await LiveServer.run { server async throws in
            let connection = try Self.connect(server, server.bearer)
            await server.waitForParked(1)
            connection.close()
            await server.waitForParked(0)
        }
    }

    @Test("want a token, and are bounded in number")
    func refused() async throws {
        var limits = APILimits()
        limits.eventStreams = 1
        try await LiveServer.run(limits: limits) { server async throws in
            try await server.connect(token: .some(nil)) { guest async throws in
                #expect(try await guest.call(.get, "/v1/events").problem().code == .unauthorized)
            }
            let connection = try Self.connect(server, server.bearer)
            await server.waitForParked(1)
            try await server.connect { client async throws in
                let reply = try await client.call(.get, "/v1/events")
                #expect(try reply.problem().code == .unavailable)
                #expect(reply.headers[.retryAfter] != nil)
            }
            connection.close()
        }
    }
}
