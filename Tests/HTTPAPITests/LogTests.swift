import Blocks
import Files
import HTTPTypes
import Logging
import Model
import StorageConformance
import Synchronization
import Testing
import WireProtocol

@testable import HTTPAPI

/// What a server has logged.
private final class LogBook: Sendable {
    struct Line: Sendable {
        let level: Logger.Level
        let message: String
        let metadata: [String: String]
    }

    private let written = Mutex<[Line]>([])

    var lines: [Line] { written.withLock { $0 } }

    /// The line about a request with this status, once it is there; it looks again and again without sleeping.
    func request(status: Int) async -> Line {
        while true {
            if let line = lines.first(where: { $0.metadata["status"] == String(status) }) { return line }
            await Task.yield()
        }
    }

    var logger: Logger {
        Logger(label: "test", factory: { _ in Handler(book: self) })
    }

    private struct Handler: LogHandler {
        let book: LogBook
        var logLevel = Logger.Level.trace
        var metadata = Logger.Metadata()

        init(book: LogBook) { self.book = book }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }.mapValues { "\($0)" }
            let line = Line(level: event.level, message: "\(event.message)", metadata: fields)
            book.written.withLock { $0.append(line) }
        }
    }
}

@Suite("What is logged", .serialized)
struct LogTests {
    @Test("a poll whose client goes away is no error, and hardly worth a line")
    func hangUp() async throws {
        let book = LogBook()
        try await LiveServer.run(log: book.logger) { server async throws in
            let connection = try RawConnection(port: server.port)
            let body = try PollRequest(
                cursors: [Cursor(namespace: server.home, revision: .zero)], timeout: 60
            ).encoded()
            connection.send(
                "POST /v1/poll HTTP/1.1\r\nHost: x\r\nAuthorization: \(server.bearer)\r\n"
                    + "Content-Length: \(body.count)\r\n\r\n")
            connection.send(bytes: body)
            await server.waitForParked(1)
            connection.close()
            await server.waitForParked(0)
            #expect(await book.request(status: 499).level == .debug)
            #expect(book.lines.allSatisfy { $0.level < .notice || $0.metadata["path"] == nil })
            #expect(!server.metrics.text().contains("status=\"503\""))
        }
    }

    @Test("a body that breaks off is told with its code, at info: the server did nothing wrong")
    func brokenBody() async throws {
        let book = LogBook()
        try await LiveServer.run(log: book.logger) { server async throws in
            let connection = try RawConnection(port: server.port)
            connection.send(
                "POST /v1/blocks/fetch HTTP/1.1\r\nHost: x\r\nAuthorization: \(server.bearer)\r\n"
                    + "Content-Length: 5000\r\n\r\n\u{1}")
            connection.close()
            #expect(await book.request(status: 400).level == .info)
            let failed = try #require(book.lines.first { $0.message == "a request failed" })
            #expect(failed.level == .info)
            #expect(failed.metadata["code"] == "truncated_body")
            #expect(failed.metadata["path"] == "/v1/blocks/fetch")
            #expect(server.metrics.text().contains("cairn_problems_total{code=\"truncated_body\"} 1"))
        }
    }

    @Test("a full disk is an error, and the log has the place that the client is not told")
    func fullDisk() async throws {
        let book = LogBook()
        try await LiveServer.run(log: book.logger) { server async throws in
            try await server.connect { client async throws in
                server.region.plan.isFull = true
                #expect(try await client.call(.put, "/v1/files/f", [1, 2, 3]).status == 507)
            }
            #expect(await book.request(status: 507).level == .error)
            let failed = try #require(book.lines.first { $0.message == "a request failed" })
            #expect(failed.level == .error)
            #expect(failed.metadata["cause"]?.contains("/srv/cairn/packs") == true)
        }
    }

    @Test("a server that has much to do warns")
    func overload() async throws {
        let book = LogBook()
        let file = DeviceFile(random: 60_000, seed: 1)
        try await LiveServer.run(log: book.logger) { server async throws in
            var share: MemoryShare? = try await server.context.memory.take(.max)
            let waiting = (0..<512).map { _ in Task { _ = try await server.context.memory.take(1) } }
            while server.context.memory.waitingCount != 512 { await Task.yield() }
            try await server.connect { client async throws in
                #expect(try await client.send(BlockBatch(blocks: file.blocks), to: "/v1/blocks").status == 503)
            }
            #expect(await book.request(status: 503).level == .warning)
            #expect(book.lines.first { $0.message == "a request failed" }?.level == .warning)
            withExtendedLifetime(share) {}
            share = nil
            for task in waiting { try await task.value }
        }
    }

    @Test("what is not there is a line of its own at info, and its reason at debug")
    func notFound() async throws {
        let book = LogBook()
        try await LiveServer.run(log: book.logger) { server async throws in
            try await server.connect { client async throws in
                #expect(try await client.call(.get, "/v1/files/nothing").status == 404)
            }
            #expect(await book.request(status: 404).level == .info)
            let failed = try #require(book.lines.first { $0.message == "a request failed" })
            #expect(failed.level == .debug)
            #expect(failed.metadata["code"] == "not_found")
        }
    }
}
