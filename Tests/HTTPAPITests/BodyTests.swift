import Foundation
import HTTPAPI
import HTTPTypes
import Testing
import WireProtocol

@Suite("Bodies that break off", .serialized)
struct BodyTests {
    /// Sends the start of a request and nothing more, and gives back the problem that is answered.
    private func problem(_ server: LiveServer, _ head: String, _ body: String) async throws -> Problem {
        let connection = try RawConnection(port: server.port)
        connection.send("\(head)\r\nHost: x\r\nAuthorization: \(server.bearer)\r\n")
        connection.send(body)
        connection.finish()
        let answer = await connection.everything()
        let parts = answer.components(separatedBy: "\r\n\r\n")
        try #require(parts.count >= 2, "\(answer)")
        // What remains of the connection may be answered once more, as noise.
        let body = parts[1].components(separatedBy: "HTTP/1.1")[0]
        return try JSONDecoder().decode(Problem.self, from: Data(body.utf8))
    }

    @Test("a file that is cut off is a problem of its own, and nothing of it is kept")
    func file() async throws {
        try await LiveServer.run { server async throws in
            let length = try await problem(server, "PUT /v1/files/f HTTP/1.1", "Content-Length: 100\r\n\r\nonly this")
            #expect(length.code == .truncatedBody)
            #expect(length.detail.contains("9 of 100"))
            let chunks = try await problem(
                server, "PUT /v1/files/f HTTP/1.1", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwo")
            #expect(chunks.code == .truncatedBody)
            try await server.connect { client async throws in
                #expect(try await client.call(.get, "/v1/files/f").problem().code == .notFound)
            }
        }
    }

    @Test("a message that is cut off is a problem of its own")
    func message() async throws {
        try await LiveServer.run { server async throws in
            let problem = try await problem(server, "POST /v1/blocks HTTP/1.1", "Content-Length: 5000\r\n\r\n\u{1}")
            #expect(problem.code == .truncatedBody)
        }
    }

    @Test("a length that is above the bound is refused before the body comes")
    func tooLong() async throws {
        try await LiveServer.run { server async throws in
            let problem = try await problem(server, "POST /v1/blocks HTTP/1.1", "Content-Length: 99999999999\r\n\r\n")
            #expect(problem.code == .tooLarge)
        }
    }

    @Test("a body in chunks is bounded as it comes")
    func chunksTooLong() async throws {
        var limits = APILimits()
        limits.question = 1000
        try await LiveServer.run(limits: limits) { server async throws in
            let chunk = "400\r\n" + String(repeating: "x", count: 1024) + "\r\n"
            let problem = try await problem(
                server, "POST /v1/blocks/missing HTTP/1.1", "Transfer-Encoding: chunked\r\n\r\n\(chunk)0\r\n\r\n")
            #expect(problem.code == .tooLarge)
        }
    }

    @Test("a client that hangs up in the middle of a file changes nothing, and the server goes on")
    func hangUp() async throws {
        try await LiveServer.run { server async throws in
            let connection = try RawConnection(port: server.port)
            connection.send(
                "PUT /v1/files/f HTTP/1.1\r\nHost: x\r\nAuthorization: \(server.bearer)\r\nContent-Length: 100\r\n\r\nab"
            )
            connection.close()
            try await server.connect { client async throws in
                #expect(try await client.call(.put, "/v1/files/g", [1]).json(CommittedResponse.self).revision == 1)
                #expect(try await client.call(.get, "/v1/files/f").problem().code == .notFound)
            }
        }
    }
}
