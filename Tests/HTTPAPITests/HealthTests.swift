import Hummingbird
import Notifications
import StorageConformance
import Testing
import WireProtocol

@Suite("Health, readiness and metrics", .serialized)
struct HealthTests {
    @Test("health needs no token and nothing else; readiness asks the storage")
    func readiness() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect(token: .some(nil)) { client async throws in
                #expect(try await client.call(.get, "/health").text == "ok\n")
                #expect(try await client.call(.get, "/ready").text == "ready\n")
                server.region.plan.isDown = true
                #expect(try await client.call(.get, "/health").status == 200)
                let reply = try await client.call(.get, "/ready")
                #expect(try reply.problem().code == .unavailable)
                #expect(reply.status == 503)
                #expect(reply.headers[.retryAfter] != nil)
                server.region.plan.isDown = false
                #expect(try await client.call(.get, "/ready").status == 200)
            }
        }
    }

    @Test("with two regions and a policy of one copy a server is ready while one of them answers", arguments: [1, nil])
    func readinessOfTwo(copies: Int?) async throws {
        let second = FaultyPackRegion(MemoryPackRegion(name: "/srv/copy", disk: MemoryDisk(seed: 2)))
        try await LiveServer.run(minimumCopies: copies, further: [second]) { server async throws in
            try await server.connect { client async throws in
                #expect(try await client.call(.get, "/ready").status == 200)
                second.plan.isDown = true
                #expect(try await client.call(.get, "/ready").status == (copies == 1 ? 200 : 503))
                #expect(try await client.call(.put, "/v1/files/f", [1, 2, 3]).status == (copies == 1 ? 201 : 503))
                server.region.plan.isDown = true
                #expect(try await client.call(.get, "/ready").status == 503)
                second.plan.isDown = false
                #expect(try await client.call(.get, "/ready").status == (copies == 1 ? 200 : 503))
            }
        }
    }

    @Test("metrics count requests by route and status, and what is parked")
    func metrics() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                _ = try await client.call(.put, "/v1/files/f", [1, 2, 3])
                _ = try await client.call(.get, "/v1/files/f")
                _ = try await client.call(.get, "/v1/files/g")
                async let poll = server.connect { try await $0.poll(server.home, at: 1) }
                await server.waitForParked(1)
                let reply = try await client.call(.get, "/metrics")
                #expect(reply.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
                let lines = Set(reply.text.split(separator: "\n").map(String.init))
                #expect(
                    lines.contains("cairn_http_requests_total{method=\"GET\",route=\"/v1/files/**\",status=\"200\"} 1"))
                #expect(
                    lines.contains("cairn_http_requests_total{method=\"GET\",route=\"/v1/files/**\",status=\"404\"} 1"))
                #expect(lines.contains("cairn_http_received_bytes_total{route=\"/v1/files/**\"} 3"))
                #expect(lines.contains("cairn_problems_total{code=\"not_found\"} 1"))
                #expect(lines.contains("cairn_polls_parked 1"))
                #expect(lines.contains("# TYPE cairn_http_request_duration_seconds histogram"))
                #expect(reply.text.contains("cairn_database_write_seconds_count"))
                server.notifications.drain()
                _ = try await poll
            }
        }
    }
}
