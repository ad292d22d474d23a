import Files
import HTTPTypes
import Model
import Storage
import StorageConformance
import TestSupport
import Testing
import WireProtocol

@testable import HTTPAPI

@Suite("Files in the archive over HTTP")
struct ArchiveRouteTests {
    private static let day = Duration.seconds(86_400)

    private func run(_ test: @escaping @Sendable (LiveServer) async throws -> Void) async throws {
        try await LiveServer.run(
            archive: { clock in
                let store = try await ThawingArchive.open(
                    regions: [MemoryPackRegion(name: "archive")],
                    pace: ThawingArchive.Pace(delay: .seconds(14_400)), clock: clock,
                    generator: SeededGenerator(seed: 7))
                return ArchiveTier(store: store, policy: ArchivePolicy(currentAfter: Self.day))
            }, test)
    }

    @Test(
        "a file that thaws is answered with 503, the code and the time to wait; its head and other files are answered as ever"
    )
    func thawing() async throws {
        try await run { server in
            try await server.connect { client in
                _ = try await client.call(.put, "/v1/files/cold", Array("left alone".utf8))
                server.clock.advance(by: Self.day * 2)
                _ = try await client.call(.put, "/v1/files/hot", Array("young".utf8))
                #expect(try await ArchiveBlocks(server.context)().blocks == 1)
                let answer = try await client.call(.get, "/v1/files/cold")
                #expect(answer.status == 503)
                #expect(answer.headers[.retryAfter] == "14401")
                let problem = try answer.problem()
                #expect(problem.code == .thawing)
                #expect(problem.retryAfter == 14_401)
                #expect(problem.detail == "file /cold lies in the archive: thawing, ready in about 4 h")
                #expect(try await client.call(.head, "/v1/files/cold").status == 200)
                #expect(try await client.call(.get, "/v1/files/hot").status == 200)
                server.clock.advance(by: .seconds(14_400))
                #expect(try await ThawBlocks(server.context)().ready == 1)
                let ready = try await client.call(.get, "/v1/files/cold")
                #expect(ready.status == 200)
                #expect(ready.text == "left alone")
            }
        }
    }
}
