import Files
import HTTPTypes
import Hummingbird
import Metadata
import StorageConformance
import Testing
import WireProtocol

@testable import HTTPAPI

@Suite("The routes of roles", .serialized)
struct RoleTests {
    /// One call for each route, by the roles that serve it.
    private static let calls: [(HTTPRequest.Method, String, Set<ServerRole>)] = [
        (.post, "/v1/login", [.api]), (.get, "/v1/session", [.api]), (.get, "/v1/devices", [.api]),
        (.get, "/v1/namespaces/00/changes", [.api]), (.post, "/v1/namespaces/00/uploads", [.api]),
        (.delete, "/v1/uploads/00", [.api]), (.post, "/v1/uploads/00/pages", [.api]), (.post, "/v1/poll/token", [.api]),
        (.get, "/v1/queue", [.api]), (.get, "/v1/list", [.api]), (.post, "/v1/folders/d", [.api]),
        (.post, "/v1/move", [.api]), (.get, "/v1/history/f", [.api]), (.get, "/v1/deleted", [.api]),
        (.put, "/v1/pins/f", [.api]), (.post, "/v1/restore", [.api]), (.post, "/v1/rewind", [.api]),
        (.post, "/v1/undo", [.api]), (.head, "/v1/files/f", [.api, .block]), (.delete, "/v1/files/f", [.api]),
        (.get, "/v1/files/f", [.block]), (.put, "/v1/files/f", [.block]),
        (.post, "/v1/blocks", [.block]), (.post, "/v1/blocks/fetch", [.block]), (.post, "/v1/blocks/missing", [.block]),
        (.post, "/v1/pages/fetch", [.block]),
        (.post, "/v1/poll", [.notify]),
    ]

    /// Whether a server with some roles knows a route at all, whatever it thinks of the call.
    private func isServed(
        _ method: HTTPRequest.Method, _ path: String, by server: LiveServer
    ) async throws -> Bool {
        try await server.connect { client async throws in
            let reply = try await client.call(method, path, method == .post || method == .put ? [] : nil)
            guard reply.status == 404 || reply.status == 405 else { return true }
            // What a route does not find has a name. The answer to HEAD has no body to tell it.
            guard method != .head else { return server.roles.contains { $0 == .api || $0 == .block } }
            return try reply.status == 404 && !reply.problem().detail.contains("no such route")
        }
    }

    @Test("every route is served by its roles, and by no other", arguments: ServerRole.allCases)
    func one(role: ServerRole) async throws {
        try await LiveServer.run(roles: [role]) { server async throws in
            for (method, path, roles) in Self.calls {
                let isServed = try await self.isServed(method, path, by: server)
                #expect(isServed == roles.contains(role), "\(method) \(path) by \(role)")
            }
        }
    }

    @Test("a process with all roles serves every route")
    func all() async throws {
        try await LiveServer.run { server async throws in
            for (method, path, _) in Self.calls {
                #expect(try await self.isServed(method, path, by: server), "\(method) \(path)")
            }
        }
    }

    @Test("whole files are written and read where blocks are kept, and removed where trees are")
    func files() async throws {
        try await LiveServer.run(roles: [.block]) { server async throws in
            try await server.connect { client async throws in
                #expect(try await client.call(.put, "/v1/files/f", [1, 2, 3]).status == 201)
                #expect(try await client.call(.get, "/v1/files/f").bytes == [1, 2, 3])
                let reply = try await client.call(.delete, "/v1/files/f")
                #expect(reply.status == 405)
                #expect(reply.headers[.allow] == "GET, HEAD, PUT")
            }
        }
        try await LiveServer.run(roles: [.api]) { server async throws in
            try await server.connect { client async throws in
                #expect(try await client.call(.put, "/v1/files/f", [1]).status == 405)
                #expect(try await client.call(.head, "/v1/files/f").status == 404)
                #expect(try await client.call(.delete, "/v1/files/f").status == 404)
            }
        }
        for role in [ServerRole.notify, .maintenance] {
            try await LiveServer.run(roles: [role]) { server async throws in
                try await server.connect { client async throws in
                    #expect(try await client.call(.get, "/v1/files/f").status == 404)
                    #expect(try await client.call(.put, "/v1/files/f", [1]).status == 404)
                }
            }
        }
    }

    @Test("health, readiness and metrics are served whatever the role", arguments: ServerRole.allCases)
    func health(role: ServerRole) async throws {
        try await LiveServer.run(roles: [role]) { server async throws in
            try await server.connect(token: .some(nil)) { client async throws in
                for path in ["/health", "/ready", "/metrics"] {
                    #expect(try await client.call(.get, path).status == 200, "\(path)")
                }
                server.region.plan.isDown = true
                // Who only parks polls needs no blocks.
                #expect(try await client.call(.get, "/ready").status == (role == .notify ? 200 : 503))
                server.region.plan.isDown = false
                try await server.context.database.close()
                #expect(try await client.call(.get, "/ready").status >= 500)
                #expect(try await client.call(.get, "/health").status == 200)
            }
        }
    }

    @Test("a process that drains is not ready, and serves all that still comes")
    func drains() async throws {
        let readiness = Readiness()
        try await LiveServer.run(readiness: readiness) { server async throws in
            try await server.connect { client async throws in
                #expect(try await client.call(.get, "/ready").status == 200)
                readiness.drain()
                let reply = try await client.call(.get, "/ready")
                #expect(reply.status == 503)
                #expect(try reply.problem().code == .unavailable)
                #expect(try await client.call(.get, "/health").status == 200)
                #expect(try await client.call(.put, "/v1/files/f", [1]).status == 201)
                #expect(try await client.call(.get, "/v1/files/f").bytes == [1])
            }
        }
    }
}
