import Files
import Foundation
import HTTPTypes
import Model
import TestSupport
import Testing
import WireProtocol

@testable import HTTPAPI

@Suite("Points in the past over HTTP", .serialized)
struct HistoryPointTests {
    private func put(_ path: String, _ text: String, _ client: APIClient) async throws {
        let reply = try await client.call(
            .put, "/v1/files/\(path)", Array(text.utf8), headers: [.createParents: "true"])
        #expect([200, 201].contains(reply.status), "\(reply.text)")
    }

    private func pin(_ path: String, _ name: String, _ client: APIClient) async throws -> APIClient.Reply {
        try await client.call(.put, "/v1/pins/\(path)", Array(try JSONEncoder().encode(PinRequest(name: name))))
    }

    @Test("before the first commit there is an empty root and nothing else, and after the last one the present")
    func ends() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                try await put("d/f", "one", client)
                for point in ["0", "2000-01-01T00:00:00Z", "1678-01-01t00:00:00z", "2026-01-02T03:04:04.999999999Z"] {
                    let root = try await client.call(.get, "/v1/list?at=\(point)").json(FolderListing.self)
                    #expect(root.revision == 0 && root.entries.isEmpty, "\(point)")
                    for path in ["list/d", "files/d/f"] {
                        let reply = try await client.call(.get, "/v1/\(path)?at=\(point)")
                        #expect(try reply.problem().code == .notFound, "\(path) \(point)")
                    }
                    #expect(try await pin("d/f?at=\(point)", "x", client).problem().code == .notFound, "\(point)")
                }
                for point in ["00001", "2262-01-01T00:00:00Z", "2026-01-02t02:04:05-01:00"] {
                    #expect(try await client.call(.get, "/v1/files/d/f?at=\(point)").text == "one", "\(point)")
                }
            }
        }
    }

    @Test("a pin is on the version that was there at that point, and goes by itself or with all others")
    func pins() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                for (path, text) in [("d/f", "one"), ("d/f", "two"), ("g", "other"), ("d/f", "three")] {
                    try await put(path, text, client)
                }
                #expect(try await pin("d/f?at=3", "draft", client).json(PinEntry.self).revision == 2)
                #expect(try await pin("d/f?at=2", "final", client).json(PinEntry.self).revision == 2)
                #expect(try await pin("d/f", "now", client).json(PinEntry.self).revision == 4)
                func pinned() async throws -> [String?] {
                    try await client.call(.get, "/v1/history/d/f").json(VersionListing.self).nodes[0].entries.map(\.pin)
                }
                #expect(try await pinned() == ["now", "final", nil])
                #expect(try await client.call(.delete, "/v1/pins/d/f?at=1").problem().code == .notFound)
                let one = try await client.call(.delete, "/v1/pins/d/f?at=3").json(UnpinnedResponse.self)
                #expect(one.removed == 1)
                #expect(try await pinned() == ["now", nil, nil])
                #expect(try await pin("d/f?at=1", "first", client).status == 200)
                let rest = try await client.call(.delete, "/v1/pins/d/f").json(UnpinnedResponse.self)
                #expect(rest.removed == 2)
                #expect(try await pinned() == [nil, nil, nil])
                #expect(try await pin("d", "folder", client).problem().code == .conflict)
                #expect(try await pin("none", "x", client).problem().code == .notFound)
            }
        }
    }

    @Test(
        "names of any bytes are followed from the deleted to the restored",
        arguments: ["%FF%FE", "%25%2541", "%C3%A4%20%3F"])
    func names(_ name: String) async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                try await put("d/\(name)", "one", client)
                let lower = name.lowercased()
                #expect(try await client.call(.get, "/v1/files/%64/\(lower)?at=1").text == "one")
                let made = try await client.call(.get, "/v1/history/d/\(lower)").json(VersionListing.self)
                #expect(made.nodes[0].entries.map(\.href) == ["/d/\(name)"])
                #expect(try await client.call(.delete, "/v1/files/d/\(name)").status == 200)
                let gone = try await client.call(.get, "/v1/deleted/%64").json(DeletedListing.self)
                let href = try #require(gone.entries.first?.href)
                let restored = try await client.post(RestoreRequest(path: href), to: "/v1/restore")
                #expect(restored.status == 200)
                #expect(try await client.call(.get, "/v1/files\(href)").text == "one")
                let copy = try await client.post(RestoreRequest(path: href, to: "/\(name)"), to: "/v1/restore")
                #expect(copy.status == 200)
                let root = try await client.call(.get, "/v1/list").json(FolderListing.self)
                #expect(Set(root.entries.map(\.href)) == ["/d", "/\(name)"])
            }
        }
    }
}
