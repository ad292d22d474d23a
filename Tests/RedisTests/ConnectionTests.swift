import Glibc
import RedisSupport
import TestSupport
import Testing

@testable import MessagingRedis

@Suite(.serialized, .timeLimit(.minutes(1))) struct ConnectionTests {
    private func pool(_ endpoint: RedisEndpoint) -> RedisPool {
        RedisPool(endpoint, "test", generator: SeededGenerator(seed: 1))
    }

    private func ping(_ pool: RedisPool) async throws -> String {
        try await pool.perform { session in try session.call(["PING"]).text() }
    }

    private func code(_ body: () async throws -> some Any) async -> RedisError.Code? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? RedisError)?.code
        }
    }

    @Test func `commands and answers are of any bytes`() async throws {
        let server = try await RedisServer.start()
        let pool = pool(server.endpoint)
        let value = Array(UInt8.min...UInt8.max) + [13, 10, 0]
        let answers = try await pool.perform { session in
            try session.pipeline([
                RedisCommand([Array("SET".utf8), [0, 255], value]), RedisCommand([Array("GET".utf8), [0, 255]]),
                ["GET", "nothing"], ["LPUSH", "list", "", "b"], ["LRANGE", "list", "0", "-1"], ["NONSENSE"],
            ])
        }
        #expect(answers.prefix(4) == [.status("OK"), .bytes(value), .null, .integer(2)])
        #expect(answers[4] == .array([.bytes([98]), .bytes([])]))
        guard case .error(let message) = answers[5] else { throw RedisReply.unexpected }
        #expect(message.contains("NONSENSE"))
        await pool.close()
        #expect(await code { try await ping(pool) } == .closed)
    }

    @Test func `a wrong password says so`() async throws {
        let server = try await RedisServer.start("--requirepass", "right")
        var endpoint = server.endpoint
        for password in [nil, "wrong"] {
            endpoint.password = password
            let pool = pool(endpoint)
            let error = await #expect(throws: RedisError(.refused, "")) { try await ping(pool) }
            #expect(error?.message.contains("\(server.port)") == true)
            #expect(error?.message.contains("refuses the login") == true)
            await pool.close()
        }
        endpoint.password = "right"
        let pool = pool(endpoint)
        #expect(try await ping(pool) == "PONG")
        await pool.close()
    }

    @Test func `Sentinels with a password, and without one, lead to a master that has one`() async throws {
        let master = try await RedisServer.start("--requirepass", "right")
        let open = try await RedisServer.startSentinel(of: master)
        let closed = try await RedisServer.startSentinel(of: master, password: "right")
        for sentinel in [open, closed] {
            let url = "redis+sentinel://:right@127.0.0.1:\(sentinel.port)/m"
            let pool = pool(RedisServer.quick(try RedisEndpoint(url: url)))
            #expect(try await ping(pool) == "PONG")
            await pool.close()
        }
        let wrong = pool(RedisServer.quick(try RedisEndpoint(url: "redis+sentinel://:left@127.0.0.1:\(closed.port)/m")))
        let error = await #expect(throws: RedisError(.refused, "")) { try await ping(wrong) }
        #expect(error?.message.contains("Sentinel at 127.0.0.1:\(closed.port)") == true)
        #expect(error?.message.contains("left") == false)
        await wrong.close()
    }

    @Test func `a replica is no master`() async throws {
        let master = try await RedisServer.start()
        let replica = try await RedisServer.start("--replicaof", "127.0.0.1 \(master.port)")
        let pool = pool(replica.endpoint)
        #expect(await code { try await ping(pool) } == .notMaster)
        await pool.close()
    }

    @Test func `a master that becomes a replica is noticed`() async throws {
        let (first, other) = (try await RedisServer.start(), try await RedisServer.start())
        let pool = pool(first.endpoint)
        #expect(try await ping(pool) == "PONG")
        try first.call(["REPLICAOF", "127.0.0.1", "\(other.port)"])
        #expect(
            await code {
                try await pool.perform { session in try session.call(["SET", "a", "b"]) }
            } == .notMaster)
        await pool.close()
    }

    @Test func `calls fail at once while nobody listens, and work when the server is back`() async throws {
        let server = try await RedisServer.start()
        let pool = pool(server.endpoint)
        #expect(try await ping(pool) == "PONG")
        await server.crash()
        #expect(await code { try await ping(pool) } == .unreachable)
        let begin = ContinuousClock.now
        for _ in 0..<100 { #expect(await code { try await ping(pool) } == .unreachable) }
        #expect(begin.duration(to: .now) < .seconds(1))
        try await server.start()
        try await Patience.until { await code { try await ping(pool) } == nil }
        await pool.close()
    }

    @Test func `an idle connection that broke costs no call`() async throws {
        let server = try await RedisServer.start()
        let pool = pool(server.endpoint)
        #expect(try await ping(pool) == "PONG")
        await server.crash()
        try await server.start()
        #expect(try await ping(pool) == "PONG")
        await pool.close()
    }

    @Test func `a frozen server costs the deadline, and no more`() async throws {
        let server = try await RedisServer.start()
        let pool = pool(server.endpoint)
        #expect(try await ping(pool) == "PONG")
        server.signal(SIGSTOP)
        let begin = ContinuousClock.now
        #expect(await code { try await ping(pool) } == .timedOut)
        #expect(begin.duration(to: .now) < .milliseconds(1500))
        server.signal(SIGCONT)
        try await Patience.until { await code { try await ping(pool) } == nil }
        await pool.close()
    }

    @Test func `more calls than may wait are refused`() async throws {
        let server = try await RedisServer.start()
        var endpoint = server.endpoint
        endpoint.limits.waiting = 4
        let pool = pool(endpoint)
        server.signal(SIGSTOP)
        let codes = await withTaskGroup(of: RedisError.Code?.self) { group in
            for _ in 0..<20 { group.addTask { await code { try await ping(pool) } } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.contains(.overloaded))
        #expect(!codes.contains(nil))
        server.signal(SIGCONT)
        await pool.close()
    }

    @Test func `nobody behind the port`() async throws {
        let server = try await RedisServer.start()
        let endpoint = server.endpoint
        await server.crash()
        let pool = pool(endpoint)
        let error = await #expect(throws: RedisError(.unreachable, "")) { try await ping(pool) }
        #expect(error?.message.contains("127.0.0.1:\(server.port)") == true)
        await pool.close()
    }
}
