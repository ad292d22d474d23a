import Files
import HTTPTypes
import Metadata
import Model
import Storage
import StorageConformance
import TestSupport
import Testing
import WireProtocol

@testable import HTTPAPI

@Suite("Whole files over HTTP", .serialized)
struct FileRouteTests {
    @Test("a file is put, looked at, read and removed")
    func lifecycle() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                let put = try await client.call(
                    .put, "/v1/files/hello.txt", Array("hello world".utf8), headers: [.modified: "1700000000.5"])
                #expect(put.status == 201)
                let committed = try put.json(CommittedResponse.self)
                #expect(committed.revision == 1)
                #expect(committed.etag == put.headers[.eTag])
                let get = try await client.call(.get, "/v1/files/hello.txt")
                #expect(get.status == 200)
                #expect(get.text == "hello world")
                #expect(get.headers[.eTag] == committed.etag)
                #expect(get.headers[.lastModified] == "Tue, 14 Nov 2023 22:13:20 GMT")
                #expect(get.headers[.requestID] != nil)
                let head = try await client.call(.head, "/v1/files/hello.txt")
                #expect(head.status == 200)
                #expect(head.headers[.contentLength] == "11")
                #expect(head.bytes.isEmpty)
                #expect(try await client.call(.put, "/v1/files/hello.txt", Array("again".utf8)).status == 200)
                #expect(
                    try await client.call(.delete, "/v1/files/hello.txt").json(CommittedResponse.self).revision == 3)
                #expect(try await client.call(.get, "/v1/files/hello.txt").problem().code == .notFound)
            }
        }
    }

    @Test("a large file streams both ways, and any range of it")
    func large() async throws {
        var random = SeededGenerator(seed: 1)
        let bytes = random.bytes(9_000_000)
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                #expect(try await client.call(.put, "/v1/files/large", bytes).status == 201)
                #expect(try await client.call(.get, "/v1/files/large").bytes == bytes)
                let part = try await client.call(.get, "/v1/files/large", headers: [.range: "bytes=4000000-8000000"])
                #expect(part.status == 206)
                #expect(part.headers[.contentRange] == "bytes 4000000-8000000/9000000")
                #expect(part.bytes == Array(bytes[4_000_000...8_000_000]))
            }
        }
    }

    @Test("ranges follow RFC 9110")
    func ranges() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                let put = try await client.call(.put, "/v1/files/f", Array("0123456789".utf8))
                func get(_ range: String, _ more: HTTPFields = [:]) async throws -> APIClient.Reply {
                    var headers = more
                    headers[.range] = range
                    return try await client.call(.get, "/v1/files/f", headers: headers)
                }
                #expect(try await get("bytes=2-4").text == "234")
                #expect(try await get("bytes=7-").text == "789")
                #expect(try await get("bytes=-3").text == "789")
                #expect(try await get("bytes=8-100").text == "89")
                #expect(try await get("bytes=0-1,4-5").status == 200, "several ranges are answered with the whole")
                #expect(try await get("lines=1-2").text == "0123456789")
                let outside = try await get("bytes=10-")
                #expect(try outside.problem().code == .rangeNotSatisfiable)
                #expect(outside.headers[.contentRange] == "bytes */10")
                #expect(try await get("bytes=2-4", [.ifRange: put.headers[.eTag]!]).text == "234")
                #expect(try await get("bytes=2-4", [.ifRange: "\"other\""]).text == "0123456789")
            }
        }
    }

    @Test("conditions are kept: 412 for a change, 304 for a read")
    func conditions() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                let first = try await client.call(.put, "/v1/files/f", Array("one".utf8), headers: [.ifNoneMatch: "*"])
                let tag = first.headers[.eTag]!
                func code(_ method: HTTPRequest.Method, _ headers: HTTPFields) async throws -> ProblemCode {
                    try await client.call(method, "/v1/files/f", method == .put ? [1] : nil, headers: headers).problem()
                        .code
                }
                #expect(try await code(.put, [.ifNoneMatch: "*"]) == .preconditionFailed)
                #expect(try await code(.put, [.ifMatch: "\"0-00\""]) == .preconditionFailed)
                #expect(try await code(.delete, [.ifMatch: "\"x\""]) == .preconditionFailed)
                #expect(try await code(.get, [.ifMatch: "\"x\""]) == .preconditionFailed)
                #expect(try await client.call(.get, "/v1/files/f", headers: [.ifNoneMatch: tag]).status == 304)
                #expect(try await client.call(.get, "/v1/files/f", headers: [.ifMatch: tag]).text == "one")
                #expect(
                    try await client.call(.put, "/v1/files/f", [1], headers: [.ifMatch: "\"a\", \(tag)"]).status == 200)
                #expect(try await code(.put, [.ifMatch: tag]) == .preconditionFailed)
            }
        }
    }

    @Test(
        "paths that are not allowed are refused by what is wrong with them",
        arguments: [
            ("a/../b", "'..'"), ("%2e%2e/b", "'..'"), ("a/./b", "'.'"), ("a%00b", "NUL"), ("a//b", "empty"),
            ("a%2Fb", "'/'"), ("a%zz", "escape"), (String(repeating: "n", count: 300), "300 bytes"),
        ])
    func badPaths(path: String, reason: String) async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                for method: HTTPRequest.Method in [.get, .put, .delete] {
                    let problem = try await client.call(method, "/v1/files/\(path)", method == .put ? [1] : nil)
                        .problem()
                    #expect(problem.code == .invalidPath)
                    #expect(problem.detail.contains(reason), "\(problem.detail)")
                }
            }
        }
    }

    @Test("names of any bytes are kept exactly")
    func strangeNames() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                for name in ["%C3%A4%20%26%3F%23", "%FF%FE", "%25", "a+b", "..."] {
                    #expect(try await client.call(.put, "/v1/files/\(name)", Array(name.utf8)).status == 201)
                    #expect(try await client.call(.get, "/v1/files/\(name)").text == name)
                }
                let listing = try await client.call(.get, "/v1/list/").json(FolderListing.self)
                #expect(
                    Set(listing.entries.map(\.href)) == ["/%C3%A4%20%26%3F%23", "/%FF%FE", "/%25", "/a%2Bb", "/..."])
            }
        }
    }

    @Test("a missing folder is a conflict, unless it may be made")
    func parents() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                #expect(try await client.call(.put, "/v1/files/a/b/f", [1]).problem().code == .conflict)
                #expect(
                    try await client.call(.put, "/v1/files/a/b/f", [1], headers: [.createParents: "true"]).status == 201
                )
                #expect(try await client.call(.get, "/v1/files/a/b").problem().code == .conflict)
                #expect(try await client.call(.put, "/v1/files/", [1]).problem().code == .conflict)
                #expect(try await client.call(.delete, "/v1/files/").problem().code == .invalidPath)
                #expect(try await client.call(.delete, "/v1/files/a").status == 200)
                let listing = try await client.call(.get, "/v1/list").json(FolderListing.self)
                #expect(listing.entries.isEmpty)
            }
        }
    }

    @Test("a body of the wrong kind, or of no good time, is refused")
    func wrongBodies() async throws {
        var limits = APILimits()
        limits.file = 100
        try await LiveServer.run(limits: limits) { server async throws in
            try await server.connect { client async throws in
                func code(_ count: Int, _ headers: HTTPFields) async throws -> ProblemCode {
                    try await client.call(.put, "/v1/files/f", [UInt8](repeating: 1, count: count), headers: headers)
                        .problem().code
                }
                #expect(try await code(101, [:]) == .tooLarge)
                #expect(try await code(5, [.contentEncoding: "gzip"]) == .invalidRequest)
                #expect(try await code(5, [.contentRange: "bytes 0-4/10"]) == .invalidRequest)
                #expect(try await code(5, [.modified: "yesterday"]) == .invalidRequest)
                #expect(try await client.call(.put, "/v1/files/f", [UInt8](repeating: 1, count: 100)).status == 201)
            }
        }
    }

    @Test("a full disk is 507 and keeps its place to itself; it passes")
    func fullDisk() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                server.region.plan.isFull = true
                let problem = try await client.call(.put, "/v1/files/f", [1, 2, 3]).problem()
                #expect(problem.code == .storageFull)
                #expect(problem.status == 507)
                #expect(problem.detail.contains("disk is full"))
                #expect(!problem.detail.contains("/srv"))
                server.region.plan.isFull = false
                #expect(try await client.call(.put, "/v1/files/f", [1, 2, 3]).status == 201)
            }
        }
    }

    @Test("a full account is 507 quota_exceeded, and is told what it uses")
    func fullAccount() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                _ = try await client.call(.put, "/v1/files/f", Array("first".utf8))
                let home = server.home
                try await server.context.database.write { connection in
                    let owner = try #require(try NamespaceQueries(connection).owner(of: home))
                    try QuotaQueries(connection).setQuota(of: owner, 1)
                }
                server.clock.advance(by: .seconds(61))
                let answer = try await client.call(.put, "/v1/files/g", [1, 2, 3])
                let problem = try answer.problem()
                #expect(problem.code == .quotaExceeded)
                #expect(problem.status == 507)
                #expect(problem.detail.contains("of 1 B"))
                #expect(problem.retryAfter == 600)
                #expect(try await client.call(.delete, "/v1/files/f").json(CommittedResponse.self).revision == 2)
            }
        }
    }

    @Test("a damaged file is 500 corrupt_data and named; others are served")
    func damage() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                _ = try await client.call(.put, "/v1/files/bad", Array("the bad file".utf8))
                let pack = try await server.context.store.packs()[0]
                for offset in 0..<pack.size { server.disk.flipBit(of: pack.pack, at: offset) }
                _ = try await client.call(.put, "/v1/files/good", Array("the good file".utf8))
                let problem = try await client.call(.get, "/v1/files/bad").problem()
                #expect(problem.code == .corruptData)
                #expect(problem.detail.contains("/bad"))
                #expect(problem.detail.contains("block"))
                #expect(try await client.call(.get, "/v1/files/good").text == "the good file")
                #expect(server.metrics.text().contains("cairn_problems_total{code=\"corrupt_data\"} 1"))
            }
        }
    }

    @Test("folders are made, listed in pages and moved")
    func folders() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                #expect(try await client.call(.post, "/v1/folders/docs").status == 201)
                #expect(try await client.call(.post, "/v1/folders/docs").problem().code == .alreadyExists)
                for number in 0..<5 { _ = try await client.call(.put, "/v1/files/docs/f%20\(number)", [UInt8(number)]) }
                let first = try await client.call(.get, "/v1/list/docs?limit=3").json(FolderListing.self)
                #expect(first.path == "/docs")
                #expect(first.revision == 6)
                #expect(first.entries.map(\.name) == ["f 0", "f 1", "f 2"])
                #expect(first.entries[0].kind == "file")
                #expect(first.entries[0].size == 1)
                #expect(first.entries[0].mode == "644")
                let next = try #require(first.next)
                let second = try await client.call(.get, "/v1/list/docs?limit=3&after=\(next)").json(FolderListing.self)
                #expect(second.entries.map(\.href) == ["/docs/f%203", "/docs/f%204"])
                #expect(second.next == nil)
                let moved = try await client.post(MoveRequest(from: "/docs/f%203", to: "/f3"), to: "/v1/move")
                #expect(try moved.json(CommittedResponse.self).revision == 7)
                #expect(try await client.call(.get, "/v1/files/f3").bytes == [3])
                #expect(
                    try await client.post(MoveRequest(from: "/docs/f%203", to: "/f4"), to: "/v1/move").problem().code
                        == .notFound)
                #expect(
                    try await client.post(MoveRequest(from: "/f3", to: "/docs"), to: "/v1/move").problem().code
                        == .alreadyExists)
                #expect(
                    try await client.post(MoveRequest(from: "/docs", to: "/docs/x"), to: "/v1/move").problem().code
                        == .conflict)
                #expect(
                    try await client.post(MoveRequest(from: "/f3", to: "/../x"), to: "/v1/move").problem().code
                        == .invalidPath)
                #expect(try await client.call(.get, "/v1/list/nothing").problem().code == .notFound)
                #expect(try await client.call(.get, "/v1/list?limit=0").problem().code == .invalidRequest)
                #expect(try await client.call(.get, "/v1/list?limit=x").problem().code == .invalidRequest)
            }
        }
    }
}
