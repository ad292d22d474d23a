import Foundation
import Glibc
package import MessagingRedis
import Synchronization
package import TestSupport

/// A server of its own on a free port, with a folder of its own.
package final class RedisServer: Sendable {
    package struct DidNotStart: Error {
        package let log: String
    }

    /// What it is.
    package enum Role {
        case server([String])
        /// Watches the master of the name `m` at a port.
        case sentinel(of: Int, password: String?)
    }

    package let port: Int
    package let role: Role
    package let directory = TemporaryDirectory()
    private let running = Mutex<(pid: Int32, log: ServerLog)?>(nil)

    private init(_ role: Role) {
        self.role = role
        port = Self.freePort()
    }

    /// Starts a server with more options than the usual ones.
    package static func start(_ options: String...) async throws -> RedisServer {
        let server = RedisServer(.server(options))
        try await server.start()
        return server
    }

    /// Starts a Sentinel that watches a master. A password is that of both.
    package static func startSentinel(of master: RedisServer, password: String? = nil) async throws -> RedisServer {
        let server = RedisServer(.sentinel(of: master.port, password: password))
        try await server.start()
        return server
    }

    deinit { signal(SIGKILL) }

    package var address: RedisAddress { RedisAddress(host: "127.0.0.1", port: port) }

    /// How it is reached, with short deadlines.
    package var endpoint: RedisEndpoint { Self.quick(RedisEndpoint(.server(address))) }

    package static func quick(_ endpoint: RedisEndpoint) -> RedisEndpoint {
        var endpoint = endpoint
        endpoint.limits.connect = .milliseconds(400)
        endpoint.limits.command = .milliseconds(400)
        endpoint.limits.recheck = .milliseconds(100)
        endpoint.limits.firstPause = .milliseconds(5)
        endpoint.limits.longestPause = .milliseconds(40)
        return endpoint
    }

    package var log: ServerLog? { running.withLock { $0?.log } }

    /// Starts it on what its folder holds.
    package func start() async throws {
        let log = ServerLog()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try command[0])
        process.arguments = Array(try command.dropFirst())
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        running.withLock { $0 = (process.processIdentifier, log) }
        let thread = Thread {
            while case let data = pipe.fileHandleForReading.availableData, !data.isEmpty {
                log.append(String(decoding: data, as: UTF8.self))
            }
            log.end()
        }
        thread.start()
        let word = if case .sentinel = role { "+monitor" } else { "Ready to accept connections" }
        guard await log.wait(for: word) else { throw DidNotStart(log: log.text) }
    }

    private var command: [String] {
        get throws {
            switch role {
            case .server(let options):
                return [
                    "/usr/bin/redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--dir", directory.path,
                    "--save", "", "--appendfsync", "always", "--repl-diskless-sync-delay", "0",
                ] + options
            case .sentinel(let master, let password):
                let path = directory.appending("sentinel.conf")
                let text = """
                    port \(port)
                    bind 127.0.0.1
                    dir \(directory.path)
                    sentinel monitor m 127.0.0.1 \(master) 1
                    sentinel down-after-milliseconds m 300
                    sentinel failover-timeout m 2000

                    """
                let login = password.map { "requirepass \($0)\nsentinel auth-pass m \($0)\n" } ?? ""
                try (text + login).write(toFile: path, atomically: true, encoding: .utf8)
                return ["/usr/bin/redis-sentinel", path]
            }
        }
    }

    /// Sends a signal to the process, if it runs.
    package func signal(_ number: Int32) {
        if let pid = running.withLock({ $0?.pid }) { Glibc.kill(pid, number) }
    }

    /// Kills it as a crash would, and waits until it is gone.
    package func crash() async {
        guard let (_, log) = running.withLock({ $0 }) else { return }
        signal(SIGKILL)
        await log.waitForEnd()
        running.withLock { $0 = nil }
    }

    /// Empties its folder: the disk was replaced.
    package func loseData() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            try FileManager.default.removeItem(atPath: directory.appending(name))
        }
    }

    private static func freePort() -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                _ = bind(descriptor, pointer, size)
                _ = getsockname(descriptor, pointer, &size)
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
