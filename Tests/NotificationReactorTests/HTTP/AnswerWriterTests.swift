import Foundation
import Model
import Notifications
import TestSupport
import Testing
import WireProtocol

@testable import NotificationReactor

@Suite struct AnswerWriterTests {
    /// Head and body of what a writer holds.
    private func parts(_ writer: borrowing AnswerWriter) throws -> (head: [String], body: [UInt8]) {
        let bytes = Array(writer.bytes)
        let end = try #require(bytes.firstRange(of: Array("\r\n\r\n".utf8)))
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        return (head, Array(bytes[end.upperBound...]))
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `the answer to a poll is the message of the protocol, whatever moved`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var writer = AnswerWriter()
        for count in [0, 1, 2, 127, 128] {
            let moved = (0..<count).map { _ in
                MovedNamespace(
                    namespace: NamespaceID(using: &generator),
                    revision: Revision(generator.next() >> UInt64.random(in: 0...63, using: &generator)),
                    pending: Bool.random(using: &generator))
            }
            writer.moved(moved, closes: false)
            let (head, body) = try parts(writer)
            let expected = PollResponse(
                moved: moved.map { .init(namespace: $0.namespace, revision: $0.revision, pending: $0.pending) })
            #expect(body == (try expected.encoded()))
            #expect(
                head == [
                    "HTTP/1.1 200 OK", "Content-Type: \(WireLimits.mediaType)", "Content-Length: \(body.count)",
                ])
        }
    }

    @Test(arguments: [0, 1, 127, 128, UInt64(1) << 63, UInt64.max])
    func `revisions of any length are written`(revision: UInt64) throws {
        let namespace = NamespaceID(high: 1, low: 2)
        var writer = AnswerWriter()
        writer.moved([MovedNamespace(namespace: namespace, revision: Revision(revision), pending: true)], closes: true)
        let (head, body) = try parts(writer)
        #expect(try PollResponse(decoding: body).moved.map(\.revision.number) == [revision])
        #expect(head.last == "Connection: close")
    }

    private static let problems: [ReactorProblem] =
        [
            .noToken, .badToken, .expiredToken, .revoked, .forbidden, .noNamespace, .unreadable, .tooLarge, .notFound,
            .onlyPost, .onlyGet, .stopping, .full(retryAfter: 0), .full(retryAfter: .max),
        ] + RequestFault.allCases.map { ReactorProblem($0) }

    @Test(arguments: problems.indices)
    func `a refusal is a problem document with a code of the protocol`(index: Int) throws {
        let refusal = Self.problems[index]
        var writer = AnswerWriter()
        writer.moved([], closes: false)
        writer.problem(refusal, closes: true)
        let (head, body) = try parts(writer)
        let problem = try JSONDecoder().decode(Problem.self, from: Data(body))
        #expect(head[0].hasPrefix("HTTP/1.1 \(problem.status) "))
        #expect(head.contains("Content-Type: \(Problem.mediaType)"))
        #expect(head.contains("Content-Length: \(body.count)"))
        #expect(head.contains("Connection: close"))
        #expect(head.contains { $0.hasPrefix("WWW-Authenticate: ") } == (problem.status == 401))
        #expect(head.contains { $0.hasPrefix("Allow: ") } == (problem.status == 405))
        #expect(problem.retryAfter == refusal.retryAfter.map { Int($0) })
        #expect(head.contains("Retry-After: \(refusal.retryAfter ?? 7)") == (refusal.retryAfter != nil))
        #expect(head.allSatisfy { !$0.isEmpty })
    }

    @Test func `text is told as it is, and cut off where there is no room`() throws {
        var writer = AnswerWriter()
        writer.text("ok\n", closes: false)
        #expect(try parts(writer).body == Array("ok\n".utf8))
        writer.text(String(repeating: "x", count: 100_000), closes: false)
        let (head, body) = try parts(writer)
        #expect(body.count == 8_192)
        #expect(head.contains("Content-Length: 8192"))
    }
}
