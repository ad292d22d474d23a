import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Model
import NIOCore
import Testing
import WireProtocol

/// Speaks with a server over one connection.
struct APIClient: Sendable {
    let client: TestClient
    let token: String?

    /// An answer.
    struct Reply: Sendable {
        let status: Int
        let headers: HTTPFields
        let bytes: [UInt8]

        var text: String { String(decoding: bytes, as: UTF8.self) }

        func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try JSONDecoder().decode(type, from: Data(bytes))
        }

        func message<Message: WireMessage>(_ type: Message.Type) throws -> Message {
            try #require(status == 200, "\(text)")
            return try Message(decoding: bytes)
        }

        /// The problem that the answer must be.
        func problem(sourceLocation: SourceLocation = #_sourceLocation) throws -> Problem {
            #expect(headers[.contentType] == Problem.mediaType, sourceLocation: sourceLocation)
            let problem = try JSONDecoder().decode(Problem.self, from: Data(bytes))
            #expect(problem.status == status, sourceLocation: sourceLocation)
            #expect(!problem.title.isEmpty && !problem.detail.isEmpty, sourceLocation: sourceLocation)
            return problem
        }
    }

    func call(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]? = nil, headers: HTTPFields = [:]
    ) async throws -> Reply {
        var headers = headers
        headers[.connection] = "keep-alive"
        if let token { headers[.authorization] = "Bearer \(token)" }
        let request = TestClient.Request(
            path, method: method, authority: "localhost", headers: headers, body: body.map { ByteBuffer(bytes: $0) })
        let response = try await client.execute(request)
        return Reply(
            status: response.status.code, headers: response.headers,
            bytes: response.body.map { Array($0.readableBytesView) } ?? [])
    }

    func send(
        _ message: some WireMessage, to path: String, headers: HTTPFields = [:]
    ) async throws -> Reply {
        var headers = headers
        headers[.contentType] = WireLimits.mediaType
        return try await call(.post, path, try message.encoded(), headers: headers)
    }

    func post(_ value: some Encodable, to path: String) async throws -> Reply {
        try await call(.post, path, Array(try JSONEncoder().encode(value)))
    }

    /// Logs in; the reply of the server as it is.
    func logIn(_ account: String = "ada", _ password: String = "correct horse", device: String = "phone") async throws
        -> Reply
    {
        try await post(LoginRequest(account: account, password: password, device: device), to: "/v1/login")
    }

    func poll(_ namespace: NamespaceID, at revision: UInt64, timeout: UInt32 = 60) async throws -> Reply {
        try await send(
            PollRequest(cursors: [Cursor(namespace: namespace, revision: Revision(revision))], timeout: timeout),
            to: "/v1/poll")
    }
}
