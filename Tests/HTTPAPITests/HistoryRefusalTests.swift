import Files
import Foundation
import HTTPTypes
import Model
import TestSupport
import Testing
import WireProtocol

@testable import HTTPAPI

@Suite("What the routes of the history refuse", .serialized)
struct HistoryRefusalTests {
    private func put(_ path: String, _ text: String, _ client: APIClient) async throws {
        let reply = try await client.call(
            .put, "/v1/files/\(path)", Array(text.utf8), headers: [.createParents: "true"])
        #expect([200, 201].contains(reply.status), "\(reply.text)")
    }

    /// Sends bodies that must be refused, and looks whether the tree is as it was.
    private func refuse(_ route: String, _ bodies: [(String, ProblemCode)]) async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                try await put("d/f", "one", client)
                for (body, code) in bodies {
                    let reply = try await client.call(.post, "/v1/\(route)", Array(body.utf8))
                    #expect(try reply.problem().code == code, "\(body)")
                }
                #expect(try await client.call(.get, "/v1/list").json(FolderListing.self).revision == 1)
                #expect(try await client.call(.get, "/v1/files/d/f").text == "one")
            }
        }
    }

    @Test("a point in the past is digits, or a moment in full that can be counted")
    func points() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect { client async throws in
                try await put("f", "one", client)
                for point in [
                    "-1", "%2B1", "1.0", "0x1", "1%20", "%D9%A1", "2", "9223372036854775807", "9223372036854775808",
                    "2026-01-02", "2026-01-02T03:04:05", "2026-01-02%2003:04:05Z", "2026-13-01T00:00:00Z",
                    "2026-01-02T24:00:00Z", "1677-01-01T00:00:00Z", "2263-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
                    "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05Zjunk",
                ] {
                    for route in ["files/f", "list"] {
                        let reply = try await client.call(.get, "/v1/\(route)?at=\(point)")
                        #expect(try reply.problem().code == .invalidRequest, "\(route) \(point)")
                    }
                    let pin = try await client.call(.put, "/v1/pins/f?at=\(point)", Array(#"{"name":"x"}"#.utf8))
                    #expect(try pin.problem().code == .invalidRequest, "\(point)")
                    let unpin = try await client.call(.delete, "/v1/pins/f?at=\(point)")
                    #expect(try unpin.problem().code == .invalidRequest, "\(point)")
                }
            }
        }
    }

    @Test("bodies of a restore that are refused")
    func restoreBodies() async throws {
        try await refuse(
            "restore",
            [
                ("", .invalidRequest), ("{", .invalidRequest), ("[]", .invalidRequest), ("null", .invalidRequest),
                (#"{"at":"1"}"#, .invalidRequest), (#"{"path":7}"#, .invalidRequest),
                (#"{"path":"/d/f","at":1}"#, .invalidRequest), (#"{"path":"/d/f","at":"soon"}"#, .invalidRequest),
                (#"{"path":"/d/f","at":"2"}"#, .invalidRequest), (#"{"path":"/d/f","at":""}"#, .invalidRequest),
                (#"{"path":"/d/f","dry_run":"yes"}"#, .invalidRequest),
                (#"{"path":"/"}"#, .invalidPath), (#"{"path":""}"#, .invalidPath), (#"{"path":"//f"}"#, .invalidPath),
                (#"{"path":"/d%2Ff"}"#, .invalidPath), (#"{"path":"/%zz"}"#, .invalidPath),
                (#"{"path":"/d/%"}"#, .invalidPath), (#"{"path":"/%00"}"#, .invalidPath),
                (#"{"path":"/d/.."}"#, .invalidPath), (#"{"path":"/d/f","to":"/%2E%2E/f"}"#, .invalidPath),
                (#"{"path":"/none"}"#, .notFound), (#"{"path":"/d/f","at":"0"}"#, .notFound),
                (#"{"path":"/d/f","at":"2000-01-01T00:00:00Z"}"#, .notFound),
                (#"{"path":"/d/f","to":"/"}"#, .alreadyExists), (#"{"path":"/d/f","to":"/d"}"#, .alreadyExists),
            ])
    }

    @Test("bodies of a rewind that are refused")
    func rewindBodies() async throws {
        try await refuse(
            "rewind",
            [
                ("", .invalidRequest), (#"{"path":"/"}"#, .invalidRequest), (#"{"at":"0"}"#, .invalidRequest),
                (#"{"path":"/","at":null}"#, .invalidRequest), (#"{"path":"/","at":0}"#, .invalidRequest),
                (#"{"path":"/","at":""}"#, .invalidRequest), (#"{"path":"/","at":"2"}"#, .invalidRequest),
                (#"{"path":"/","at":"yesterday"}"#, .invalidRequest),
                (#"{"path":"/","at":"0","dry_run":1}"#, .invalidRequest),
                (#"{"path":"/%z","at":"0"}"#, .invalidPath), (#"{"path":"/d/./f","at":"0"}"#, .invalidPath),
                (#"{"path":"/none","at":"0"}"#, .notFound), (#"{"path":"/f","at":"1"}"#, .notFound),
            ])
    }
}
