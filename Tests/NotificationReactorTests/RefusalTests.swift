import Foundation
import Messaging
import Model
import NotificationReactor
import Notifications
import TestSupport
import Testing
import WireProtocol

/// Who is refused, and with what.
@Suite struct RefusalTests {
    /// Sends one request and expects one problem document.
    private func expect(
        _ status: Int, _ code: ProblemCode, _ bench: ReactorBench, _ request: [UInt8],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let peer = try bench.peer()
        peer.send(request)
        let answer = try await peer.answer()
        #expect(answer.status == status, sourceLocation: sourceLocation)
        #expect(answer.fields["content-type"] == Problem.mediaType, sourceLocation: sourceLocation)
        let problem = try JSONDecoder().decode(Problem.self, from: Data(answer.body))
        #expect(problem.code == code, sourceLocation: sourceLocation)
        #expect(problem.status == status, sourceLocation: sourceLocation)
        #expect(problem.type == "about:blank", sourceLocation: sourceLocation)
        #expect(!problem.title.isEmpty && !problem.detail.isEmpty, sourceLocation: sourceLocation)
        if status == 401 {
            #expect(answer.fields["www-authenticate"] == "Bearer realm=\"cairn\"", sourceLocation: sourceLocation)
        }
        #expect(bench.desk.parkedCount == 0, sourceLocation: sourceLocation)
    }

    @Test func `only a good poll token lets a device in`() async throws {
        try await ReactorBench.run { bench in
            let none = ReactorBench.post([0, 0], "")
            try await expect(401, .unauthorized, bench, none)
            for token in ["x", "cairn_device", "cairnpoll_AAAA", bench.token() + "A", String(bench.token().dropLast())]
            {
                try await expect(401, .unauthorized, bench, try bench.poll(token: token))
            }
            // Signed by another key than it says; by a key that is gone; too old, by a second.
            try await expect(401, .unauthorized, bench, try bench.poll(token: bench.token(key: 1)))
            try await expect(401, .unauthorized, bench, try bench.poll(token: bench.token(version: 3)))
            try await expect(401, .unauthorized, bench, try bench.poll(token: bench.token(lasting: 0)))
            let basic = ReactorBench.post([0, 0], "Authorization: Basic \(bench.token())\r\n")
            try await expect(401, .unauthorized, bench, basic)
        }
    }

    @Test func `a token is good until its time is over by the clock`() async throws {
        try await ReactorBench.run { bench in
            bench.setHead(1, to: 2)
            let request = try bench.poll(token: bench.token(lasting: 10))
            let peer = try bench.peer()
            bench.clock.advance(by: .seconds(9))
            peer.send(request)
            #expect(try await peer.answer().status == 200)
            bench.clock.advance(by: .seconds(1))
            peer.send(request)
            #expect(try await peer.answer().status == 401)
        }
    }

    @Test func `a namespace that the token does not name is forbidden, and nothing is told of it`() async throws {
        try await ReactorBench.run { bench in
            bench.setHead(1, to: 9)
            bench.setHead(2, to: 9)
            try await expect(403, .forbidden, bench, try bench.poll([(2, 1)], token: bench.token()))
            try await expect(403, .forbidden, bench, try bench.poll([(1, 1), (2, 1)], token: bench.token()))
        }
    }

    @Test func `a device that was revoked is refused, and one that polls then is told so`() async throws {
        try await ReactorBench.run { bench in
            let peer = try bench.peer()
            peer.send(try bench.poll())
            try await bench.until { bench.desk.parkedCount == 1 }
            await bench.bus.publish(.revoked(ReactorBench.device(1)))
            let answer = try await peer.answer()
            #expect(answer.status == 401)
            #expect(try JSONDecoder().decode(Problem.self, from: Data(answer.body)).code == .tokenRevoked)
            try await expect(401, .tokenRevoked, bench, try bench.poll())
            // On the same connection, too: its first poll is not taken for the second.
            peer.send(try bench.poll())
            #expect(try await peer.answer().status == 401)
        }
    }

    @Test func `a message that is not a poll is refused`() async throws {
        try await ReactorBench.run { bench in
            let field = "Authorization: Bearer \(bench.token())\r\n"
            let none = try PollRequest(cursors: [], timeout: 3).encoded()
            try await expect(400, .invalidRequest, bench, ReactorBench.post(none, field))
            for body in [[], [1], [1, 1], [1, 1] + [UInt8](repeating: 0, count: 16), [0x80, 0, 0]] as [[UInt8]] {
                try await expect(400, .invalidRequest, bench, ReactorBench.post(body, field))
            }
            try await expect(413, .tooLarge, bench, ReactorBench.post([0xFF, 0xFF, 0x7F, 1], field))
        }
    }

    @Test(
        arguments: [
            ("GET /nowhere", 404, .notFound, nil), ("GET /v1/poll", 405, .methodNotAllowed, "POST"),
            ("DELETE /health", 405, .methodNotAllowed, "GET"), ("HEAD /metrics", 405, .methodNotAllowed, "GET"),
        ] as [(String, Int, ProblemCode, String?)])
    func `what is not offered is said to be so, and the connection goes on`(
        start: String, status: Int, code: ProblemCode, allow: String?
    ) async throws {
        try await ReactorBench.run { bench in
            try await expect(status, code, bench, Array("\(start) HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            let peer = try bench.peer()
            peer.send("\(start) HTTP/1.1\r\nHost: a\r\n\r\n" + ReactorBench.get("/health"))
            #expect(try await peer.answer().fields["allow"] == allow)
            #expect(try await peer.answer().status == 200)
        }
    }

    @Test(
        arguments: [
            ("GARBAGE\r\n\r\n", 400, .invalidRequest), ("\u{16}\u{3}\u{1}\u{2}", 400, .invalidRequest),
            ("GET / HTTP/1.0\r\n\r\n", 505, .invalidRequest),
            ("POST /v1/poll HTTP/1.1\r\nHost: a\r\n\r\n", 411, .invalidRequest),
            ("POST /v1/poll HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 411, .invalidRequest),
            ("POST /v1/poll HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n", 413, .tooLarge),
            (
                "POST /v1/poll HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n", 417,
                .invalidRequest
            ),
            (
                "POST /v1/poll HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nContent-Encoding: zstd\r\n\r\n", 415,
                .invalidRequest
            ),
            ("GET /" + String(repeating: "a", count: 9_000), 431, .tooLarge),
        ] as [(String, Int, ProblemCode)])
    func `bytes that are no request are refused, and the connection ends though more comes`(
        text: String, status: Int, code: ProblemCode
    ) async throws {
        try await ReactorBench.run { bench in
            try await expect(status, code, bench, Array(text.utf8))
            let peer = try bench.peer()
            peer.send(text + String(repeating: "more ", count: 100))
            let answer = try await peer.answer()
            #expect(answer.status == status)
            #expect(answer.fields["connection"] == "close")
            #expect(try await peer.rest() == [])
            peer.close()
            try await bench.until { bench.reactor.connectionCount == 0 }
        }
    }
}
