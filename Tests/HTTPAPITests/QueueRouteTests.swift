import HTTPTypes
import Model
import Testing
import WireProtocol

@Suite("The queue over HTTP", .serialized)
struct QueueRouteTests {
    private func read(_ device: APIClient) async throws -> QueueListing {
        try await device.call(.get, "/v1/queue").json(QueueListing.self)
    }

    private func acknowledge(_ position: String, _ device: APIClient) async throws -> APIClient.Reply {
        try await device.post(QueueAcknowledgement(position: position), to: "/v1/queue/acknowledge")
    }

    @Test("a new device reads from its cursor; then it is told what others change, until it acknowledges")
    func delivery() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { laptop async throws in
                let phone = try await laptop.logIn().json(LoginResponse.self)
                try await server.connect(token: phone.token) { phone async throws in
                    let first = try await read(phone)
                    #expect(first.readFromCursor)
                    #expect(try await acknowledge(try #require(first.position), phone).status == 204)
                    #expect(try await !read(phone).readFromCursor)
                    #expect(try await laptop.call(.put, "/v1/files/a.txt", Array("text".utf8)).status == 201)
                    let moved = QueueListing.Entry(namespace: server.home.hex, revision: 1)
                    for _ in 0..<2 { #expect(try await read(phone).entries == [moved]) }
                    let position = try #require(try await read(phone).position)
                    for _ in 0..<2 { #expect(try await acknowledge(position, phone).status == 204) }
                    #expect(try await read(phone) == QueueListing(entries: [], position: nil, readFromCursor: false))
                }
            }
        }
    }

    @Test("a login is an event for the devices that were there")
    func event() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { laptop async throws in
                if let position = try await read(laptop).position { _ = try await acknowledge(position, laptop) }
                _ = try await laptop.logIn()
                let entry = try #require(try await read(laptop).entries.first)
                #expect(entry.event == "device_list_changed")
                #expect(entry.subject?.count == 32)
                #expect(entry.moment == "2026-01-02T03:04:05.000Z")
                #expect(entry.namespace == nil)
            }
        }
    }

    @Test("what is no position is 400; one of another queue takes nothing away")
    func positions() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { laptop async throws in
                for text in ["", "7", "x-1-1"] {
                    #expect(try await acknowledge(text, laptop).problem().code == .invalidRequest)
                }
                let reply = try await laptop.call(.post, "/v1/queue/acknowledge", Array("{}".utf8))
                #expect(try reply.problem().code == .invalidRequest)
                let foreign = String(repeating: "0", count: 32) + "-1-99"
                #expect(try await acknowledge(foreign, laptop).status == 204)
                #expect(try await read(laptop).readFromCursor)
            }
        }
    }

    @Test("without a good token there is no queue")
    func unauthorized() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect(token: .some(nil)) { guest async throws in
                #expect(try await guest.call(.get, "/v1/queue").problem().code == .unauthorized)
            }
            try await server.connect { laptop async throws in
                #expect(try await laptop.call(.delete, "/v1/queue").problem().code == .methodNotAllowed)
                let phone = try await laptop.logIn().json(LoginResponse.self)
                #expect(try await laptop.call(.delete, "/v1/devices/\(phone.deviceID)").status == 204)
                try await server.connect(token: phone.token) { phone async throws in
                    #expect(try await phone.call(.get, "/v1/queue").problem().code == .tokenRevoked)
                }
            }
        }
    }
}
