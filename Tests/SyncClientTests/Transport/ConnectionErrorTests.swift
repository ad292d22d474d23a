import Glibc
import TestSupport
import Testing
import WireProtocol

@testable import SyncClient

@Suite("What is said when there is no connection")
struct ConnectionErrorTests {
    private func failure(_ server: String) async throws -> ClientError {
        let connector = try AsyncHTTPConnector(server: server, certificateAuthority: nil)
        let exchange = HTTPExchange(method: "GET", path: "/health", timeout: .seconds(20))
        do {
            _ = try await connector.perform(exchange, limit: 1000, receive: nil)
        } catch {
            try await connector.shutdown()
            return try #require(error as? ClientError)
        }
        try await connector.shutdown()
        throw ClientError(.io, "the call succeeded")
    }

    /// A port that nobody listens at: bound, but not listening.
    private func withClosedPort(_ body: (UInt16) async throws -> Void) async throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
                #expect(bind(descriptor, plain, length) == 0)
                #expect(getsockname(descriptor, plain, &length) == 0)
            }
        }
        try await body(UInt16(bigEndian: address.sin_port))
    }

    @Test("a refused connection is told in one plain sentence", arguments: ["127.0.0.1", "localhost"])
    func refused(host: String) async throws {
        try await withClosedPort { port in
            let error = try await failure("http://\(host):\(port)")
            #expect(error.code == .unreachable)
            #expect(error.message == "http://\(host):\(port) can't be reached: Connection refused")
        }
    }

    @Test("an authority's file that is not there is named")
    func missingAuthority() throws {
        do {
            _ = try AsyncHTTPConnector(server: "https://localhost", certificateAuthority: "/none/ca.pem")
            Issue.record("a missing file was taken")
        } catch let error as ClientError {
            #expect(error.code == .usage)
            #expect(error.message.contains("/none/ca.pem"))
        }
    }

    @Test(
        "failures of TLS are told in words that help, without the library's source",
        arguments: [
            ("sslError([Error: error:1000007d:SSL:CERTIFICATE_VERIFY_FAILED at /x/handshake.cc:320])", "--ca"),
            ("NIOSSLExtraError.failedToValidateHostname: Couldn't find example in certificate", "another host"),
            ("sslError([Error: error:100000f7:SSL routines:WRONG_VERSION_NUMBER at /x/tls_record.cc:1])", "speak TLS"),
            ("uncleanShutdown at /x/y.cc", "handshake"),
        ])
    func tls(details: String, word: String) {
        let error = ClientError.tls("https://cloud.example.org", details: details)
        #expect(error.code == .untrusted)
        #expect(error.message.contains(word))
        #expect(error.message.contains("https://cloud.example.org"))
        #expect(!error.message.contains(".cc"))
    }

    @Test("the server's problems become kinds of errors, each with the server's own words")
    func problems() {
        let expected: [(ProblemCode, ClientError.Code)] = [
            (.unauthorized, .unauthorized), (.tokenRevoked, .unauthorized), (.forbidden, .unauthorized),
            (.wrongCredentials, .wrongCredentials), (.notFound, .notOnServer), (.alreadyExists, .alreadyOnServer),
            (.conflict, .conflict), (.preconditionFailed, .conflict), (.uploadSuperseded, .superseded),
            (.storageFull, .serverFull), (.quotaExceeded, .overQuota), (.tooLarge, .tooLarge),
            (.hashMismatch, .unstable),
            (.unavailable, .unavailable), (.tooManyAttempts, .unavailable), (.corruptData, .serverCorrupt),
            (.invalidRequest, .rejected), (.internal, .rejected),
        ]
        for (code, kind) in expected {
            let error = ClientError(Problem(code: code, title: "Title", status: 400, detail: "about '/x'"))
            #expect(error.code == kind)
            #expect(error.message == "about '/x'")
            let bare = ClientError(Problem(code: code, title: "Title", status: 400, detail: ""))
            #expect(bare.message == "Title")
        }
    }

    @Test("only what may pass by itself is tried again")
    func retryable() {
        for code in [ClientError.Code.unreachable, .unavailable] { #expect(ClientError(code, "").isRetryable) }
        for code in [
            ClientError.Code.untrusted, .unauthorized, .superseded, .serverFull, .overQuota, .notOnServer, .rejected,
        ] {
            #expect(!ClientError(code, "").isRetryable)
        }
    }
}
