import Files
import Foundation
import HTTPTypes
import Metadata
import Model
import TestSupport
import Testing
import WireProtocol

@testable import HTTPAPI

@Suite("History over HTTP", .serialized)
struct HistoryRouteTests {
    private func put(_ path: String, _ text: String, _ client: APIClient) async throws {
        let reply = try await client.call(
            .put, "/v1/files/\(path)", Array(text.utf8), headers: [.createParents: "true"])
        #expect([200, 201].contains(reply.status), "\(reply.text)")
    }

    @Test("a file and a folder are read as they were, by revision and by time, with ranges and tags")
    func past() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                let start = Dates.iso8601(server.clock.now())
                try await put("d/f", "0123456789", client)
                server.clock.advance(by: .seconds(10))
                try await put("d/f", "new", client)
                try await put("d/g", "later", client)
                let old = try await client.call(.get, "/v1/files/d/f?at=1")
                #expect(old.text == "0123456789" && old.headers[.revision] == "1")
                #expect(try await client.call(.get, "/v1/files/d/f?at=\(start)").text == "0123456789")
                #expect(try await client.call(.get, "/v1/files/d/f?at=3").text == "new")
                #expect(try await client.call(.get, "/v1/files/d/f?at=2026-01-02T04:04:16%2B01:00").text == "new")
                let part = try await client.call(.get, "/v1/files/d/f?at=1", headers: [.range: "bytes=2-4"])
                #expect(part.status == 206 && part.text == "234")
                let tag = old.headers[.eTag] ?? ""
                let same = try await client.call(.get, "/v1/files/d/f?at=1", headers: [.ifNoneMatch: tag])
                #expect(same.status == 304)
                #expect(try await client.call(.get, "/v1/files/d/f", headers: [.ifNoneMatch: tag]).status == 200)
                let head = try await client.call(.head, "/v1/files/d/f?at=1")
                #expect(head.headers[.contentLength] == "10" && head.bytes.isEmpty)
                func names(_ query: String) async throws -> [String] {
                    let listing = try await client.call(.get, "/v1/list/d\(query)").json(FolderListing.self)
                    return ["\(listing.revision)"] + listing.entries.map(\.name)
                }
                #expect(try await names("?at=1") == ["1", "f"])
                #expect(try await names("?at=\(start)") == ["1", "f"])
                #expect(try await names("") == ["3", "f", "g"])
                #expect(try await names("?at=3&limit=1&after=f") == ["3", "g"])
                #expect(try await client.call(.get, "/v1/list/d?at=0").problem().code == .notFound)
                for query in ["at=4", "at=soon", "at=", "at=99999999999999999999", "at=2026-02-30T00:00:00Z"] {
                    #expect(try await client.call(.get, "/v1/list/d?\(query)").problem().code == .invalidRequest)
                    #expect(try await client.call(.get, "/v1/files/d/f?\(query)").problem().code == .invalidRequest)
                }
                let write = try await client.call(.put, "/v1/files/d/f?at=1", [1])
                #expect(try write.problem().code == .invalidRequest)
                let remove = try await client.call(.delete, "/v1/files/d/f?at=1")
                #expect(try remove.problem().code == .invalidRequest)
                #expect(try await client.call(.get, "/v1/files/d/f").text == "new")
            }
        }
    }

    @Test("a version that is not kept is gone, and the nearest are named")
    func notKept() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                for text in ["one", "two", "three"] { try await put("f", text, client) }
                try await server.context.database.write { connection in
                    try connection.execute("UPDATE node SET thinned = 1 WHERE valid_from = 2", [])
                }
                let problem = try await client.call(.get, "/v1/files/f?at=2").problem()
                #expect(problem.code == .versionNotKept && problem.status == 410)
                #expect(problem.detail.contains("revision 1 and 3"))
                let head = try await client.call(.head, "/v1/files/f?at=2")
                #expect(head.status == 410 && head.bytes.isEmpty)
                // Nothing of that answer is left on the connection.
                #expect(try await client.call(.get, "/v1/files/f?at=3").text == "three")
                let restore = try await client.post(RestoreRequest(path: "/f", at: "2"), to: "/v1/restore")
                #expect(try restore.problem().code == .versionNotKept)
                let listing = try await client.call(.get, "/v1/history/f").json(VersionListing.self)
                #expect(listing.nodes[0].entries.map(\.revision) == [3, 1] && listing.nodes[0].hidden == 1)
                let all = try await client.call(.get, "/v1/history/f?all=true").json(VersionListing.self)
                #expect(all.nodes[0].entries.map(\.kept) == [true, false, true])
                let body = Array(try JSONEncoder().encode(PinRequest(name: "x")))
                let pin = try await client.call(.put, "/v1/pins/f?at=2", body)
                #expect(try pin.problem().code == .versionNotKept)
            }
        }
    }

    @Test("versions, what was deleted and pins are listed")
    func listings() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                try await put("a%20b/f", "one", client)
                try await put("a%20b/f", "two", client)
                let body = Array(try JSONEncoder().encode(PinRequest(name: "first")))
                let pin = try await client.call(.put, "/v1/pins/a%20b/f?at=1", body).json(PinEntry.self)
                #expect(pin.revision == 1 && pin.name == "first")
                #expect(try await client.call(.delete, "/v1/files/a%20b/f").status == 200)
                let listing = try await client.call(.get, "/v1/history/a%20b/f").json(VersionListing.self)
                #expect(listing.path == "/a b/f" && listing.nodes.count == 1)
                let node = listing.nodes[0]
                #expect(node.path == nil && node.node == pin.node)
                #expect(node.entries.map(\.changes) == [["deleted"], ["edited"], ["made"]])
                #expect(node.entries.map(\.pin) == [nil, nil, "first"])
                #expect(node.entries.map(\.href) == [nil, nil, "/a%20b/f"])
                #expect(node.entries.allSatisfy { $0.deviceName == "laptop" && $0.time != nil })
                let page = try await client.call(.get, "/v1/history/a%20b/f?limit=1&node=\(node.node)&before=2")
                let rest = try page.json(VersionListing.self).nodes[0]
                #expect(rest.entries.map(\.revision) == [1] && rest.next == nil)
                let deleted = try await client.call(.get, "/v1/deleted/a%20b").json(DeletedListing.self)
                #expect(deleted.entries.map(\.href) == ["/a%20b/f"] && deleted.next == nil)
                #expect(deleted.entries[0].revision == 3 && deleted.entries[0].size == 3)
                let all = try await client.call(.get, "/v1/deleted?limit=1").json(DeletedListing.self)
                let next = try #require(all.next)
                let end = try await client.call(.get, "/v1/deleted?after=\(next)").json(DeletedListing.self)
                #expect(end.entries.isEmpty)
                let removed = try await client.call(.delete, "/v1/pins/a%20b/f").json(UnpinnedResponse.self)
                #expect(removed.removed == 1)
                #expect(try await client.call(.delete, "/v1/pins/a%20b/f").problem().code == .notFound)
                for path in ["history/f?node=x", "history/f?before=x", "deleted?after=x", "history/f?limit=0"] {
                    #expect(try await client.call(.get, "/v1/\(path)").problem().code == .invalidRequest, "\(path)")
                }
                #expect(try await client.call(.get, "/v1/history/none").problem().code == .notFound)
                #expect(try await client.call(.get, "/v1/history").problem().code == .invalidPath)
                #expect(try await client.call(.post, "/v1/history/f").problem().code == .methodNotAllowed)
            }
            try await server.connect(token: .some(nil)) { client async throws in
                for path in ["history/f", "deleted"] {
                    #expect(try await client.call(.get, "/v1/\(path)").status == 401)
                }
                #expect(try await client.post(RewindRequest(path: "/", at: "0"), to: "/v1/rewind").status == 401)
            }
        }
    }

    @Test("restore, rewind and undo change the tree by its history, or say what they would do")
    func changes() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                try await put("d/f", "one", client)
                try await put("d/f", "two", client)
                let dry = try await client.post(RestoreRequest(path: "/d/f", at: "1", dryRun: true), to: "/v1/restore")
                    .json(HistoryAnswer.self)
                #expect(dry.dryRun && dry.revision == 2 && dry.changed == 1)
                let restored = try await client.post(RestoreRequest(path: "/d/f", at: "1"), to: "/v1/restore")
                    .json(HistoryAnswer.self)
                #expect(restored.revision == 3 && restored.commits == 1 && restored.source == 1)
                #expect(restored.changes == [HistoryChangeEntry(path: "/d/f", kind: "reverted")])
                #expect(try await client.call(.get, "/v1/files/d/f").text == "one")
                let copy = try await client.post(RestoreRequest(path: "/d/f", at: "2", to: "/copy"), to: "/v1/restore")
                #expect(copy.status == 200)
                #expect(try await client.call(.get, "/v1/files/copy").text == "two")
                let taken = try await client.post(RestoreRequest(path: "/d/f", at: "2", to: "/copy"), to: "/v1/restore")
                #expect(try taken.problem().code == .alreadyExists)
                let rewound = try await client.post(RewindRequest(path: "/", at: "1"), to: "/v1/rewind")
                    .json(HistoryAnswer.self)
                #expect(rewound.changed == 1 && rewound.changes.map(\.kind) == ["removed"])
                #expect(try await client.call(.get, "/v1/files/copy").status == 404)
                let again = try await client.post(RewindRequest(path: "/", at: "1"), to: "/v1/rewind")
                    .json(HistoryAnswer.self)
                #expect(again.changed == 0 && again.commits == 0 && again.revision == rewound.revision)
            }
        }
    }

    @Test("an undo names what it leaves")
    func undo() async throws {
        try await LiveServer.run { server async throws in
            let phone = try await server.connect { client async throws in
                for name in ["a", "b"] { try await put(name, "good", client) }
                return try await client.logIn(device: "phone").json(LoginResponse.self).token
            }
            server.clock.advance(by: .seconds(60))
            let since = Dates.iso8601(server.clock.now())
            server.clock.advance(by: .seconds(1))
            try await server.connect { client async throws in
                for name in ["a", "b"] { try await put(name, "bad", client) }
            }
            try await server.connect(token: phone) { client async throws in
                try await put("b", "edited", client)
                let answer = try await client.post(UndoRequest(device: "laptop", since: since), to: "/v1/undo")
                    .json(HistoryAnswer.self)
                #expect(answer.changes.map(\.path) == ["/a"] && answer.leftCount == 1 && answer.source == nil)
                #expect(answer.left.map(\.reason) == ["changed_later"])
                #expect(answer.left[0].detail.contains("revision 5"))
                #expect(try await client.call(.get, "/v1/files/a").text == "good")
                #expect(try await client.call(.get, "/v1/files/b").text == "edited")
                let wrong = [
                    UndoRequest(device: "none", since: since), UndoRequest(device: "laptop", since: "17"),
                    UndoRequest(device: "laptop", since: since, until: "2020-01-01T00:00:00Z"),
                    UndoRequest(device: "laptop", since: since, path: "/a/../b"),
                ]
                var codes: [ProblemCode] = []
                for request in wrong { codes.append(try await client.post(request, to: "/v1/undo").problem().code) }
                #expect(codes == [.notFound, .invalidRequest, .invalidRequest, .invalidPath])
                let noJSON = try await client.call(.post, "/v1/undo", Array("{}".utf8))
                #expect(try noJSON.problem().code == .invalidRequest)
            }
        }
    }
}
