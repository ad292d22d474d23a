import HTTPTypes
import Model
import TestSupport
import Testing
import WireProtocol

@Suite("Logging in over HTTP", .serialized)
struct SessionRouteTests {
    @Test("a login gives a token that opens the routes")
    func login() async throws {
        try await LiveServer.run { server async throws in
            server.clock.advance(by: .seconds(1))
            try await server.connect(token: .some(nil)) { guest async throws in
                let reply = try await guest.logIn()
                #expect(reply.status == 200)
                let login = try reply.json(LoginResponse.self)
                #expect(login.namespaceID == server.home.hex)
                try await server.connect(token: login.token) { phone async throws in
                    let session = try await phone.call(.get, "/v1/session").json(DeviceEntry.self)
                    #expect(session.id == login.deviceID)
                    #expect(session.name == "phone")
                    #expect(session.current)
                    #expect(session.created == "2026-01-02T03:04:06.000Z")
                    let devices = try await phone.call(.get, "/v1/devices").json([DeviceEntry].self)
                    #expect(devices.map(\.name) == ["laptop", "phone"])
                    #expect(devices.map(\.current) == [false, true])
                }
            }
        }
    }

    @Test("wrong credentials are 401, and too many of them 429 with a wait")
    func wrongCredentials() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect(token: .some(nil)) { guest async throws in
                for _ in 0..<5 {
                    let problem = try await guest.logIn("ada", "wrong horse").problem()
                    #expect(problem.code == .wrongCredentials)
                    #expect(problem.status == 401)
                }
                let reply = try await guest.logIn()
                let problem = try reply.problem()
                #expect(problem.code == .tooManyAttempts)
                #expect(reply.status == 429)
                #expect(reply.headers[.retryAfter] == "\(problem.retryAfter!)")
                server.clock.advance(by: .seconds(5))
                #expect(try await guest.logIn().status == 200)
            }
        }
    }

    @Test("a request without a token, with an unknown or an ill-formed one is 401")
    func noToken() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect(token: .some(nil)) { guest async throws in
                for headers: HTTPFields in [
                    [:], [.authorization: "Basic YWRhOmhvcnNl"], [.authorization: "Bearer"],
                    [.authorization: "Bearer x"],
                    [.authorization: "Bearer cairn_" + String(repeating: "A", count: 43)],
                ] {
                    let reply = try await guest.call(.get, "/v1/session", headers: headers)
                    #expect(try reply.problem().code == .unauthorized)
                    #expect(reply.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
                }
            }
        }
    }

    @Test("a revoked device is told so, at once; the one that ends its own session, too")
    func revoked() async throws {
        try await LiveServer.run { server async throws in
            let login = try await server.connect(token: .some(nil)) { try await $0.logIn().json(LoginResponse.self) }
            try await server.connect(token: login.token) { phone async throws in
                #expect(try await phone.call(.get, "/v1/session").status == 200)
                try await server.connect { laptop async throws in
                    #expect(try await laptop.call(.delete, "/v1/devices/\(login.deviceID)").status == 204)
                    #expect(
                        try await laptop.call(.delete, "/v1/devices/\(String(repeating: "0", count: 32))").problem()
                            .code == .notFound)
                    #expect(try await laptop.call(.delete, "/v1/devices/xyz").problem().code == .invalidRequest)
                }
                #expect(try await phone.call(.get, "/v1/session").problem().code == .tokenRevoked)
            }
            try await server.connect { laptop async throws in
                #expect(try await laptop.call(.delete, "/v1/session").status == 204)
                #expect(try await laptop.call(.get, "/v1/session").problem().code == .tokenRevoked)
            }
        }
    }

    @Test("a body that is not the JSON expected is told as such")
    func badJSON() async throws {
        try await LiveServer.run { server async throws in
            try await server.connect(token: .some(nil)) { guest async throws in
                for body in ["", "{", "[]", "{\"account\":1}"] {
                    let problem = try await guest.call(.post, "/v1/login", Array(body.utf8)).problem()
                    #expect(problem.code == .invalidRequest)
                }
                let long = [UInt8](repeating: 32, count: 100_000)
                #expect(try await guest.call(.post, "/v1/login", long).problem().code == .tooLarge)
            }
        }
    }
}
