import Foundation
import Glibc
import Synchronization

/// A server of the tests' own, in a folder and on a loopback port of its own.
///
/// A watcher ends it and removes its folder when this process ends, however it does: it waits for the end of a pipe that only
/// this process holds.
package final class PostgresServer: Sendable {
    /// The port on 127.0.0.1.
    package let port: Int
    private let programs: PostgresPrograms
    private let folder: String

    /// The one that most tests share. It does not sync: nothing in those tests survives it.
    package static func shared() throws -> PostgresServer { try common.get() }

    private static let common = Result { try PostgresServer(settings: ["fsync = off", "full_page_writes = off"]) }

    /// Makes a server and starts it.
    /// - Parameters:
    ///   - settings: Lines of its configuration.
    ///   - primary: The server that it follows as a standby; nil for one that takes writes.
    /// - Throws: ``PostgresFailure`` when the programs are not there, or one of them fails.
    package init(settings: [String] = [], standbyOf primary: PostgresServer? = nil) throws {
        programs = try PostgresPrograms()
        folder = try programs.makeFolder()
        port = try Self.freePort()
        if let primary {
            try programs.run(
                "pg_basebackup -D \(folder)/data -h 127.0.0.1 -p \(primary.port) -U cairn -R -c fast --no-sync")
        } else {
            try programs.run("initdb -D \(folder)/data -A trust -U cairn -E UTF8 --locale=C --no-sync")
        }
        let lines =
            [
                "listen_addresses = '127.0.0.1'", "port = \(port)", "unix_socket_directories = '\(folder)'",
                "max_connections = 300", "shared_buffers = 64MB", "restart_after_crash = off",
                "max_pred_locks_per_transaction = 128", "wal_keep_size = 64MB", "wal_retrieve_retry_interval = 200ms",
            ] + settings
        try programs.run(
            "printf '%s\\n' \(lines.map { "\"\($0)\"" }.joined(separator: " ")) >> \(folder)/data/postgresql.conf")
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw PostgresFailure(description: "no pipe: errno \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let watcher = try programs.start(
            "cat > /dev/null; pg_ctl -D \(folder)/data -m immediate -t 10 stop > /dev/null 2>&1; "
                + "rm -rf \(folder) 2> /dev/null", input: ends[0])
        close(ends[0])
        Self.running.withLock { running in
            if running.isEmpty { atexit { PostgresServer.endAll() } }
            running.append((ends[1], watcher, folder))
        }
        try start()
    }

    /// All that were started; they are ended in one place, as nobody else knows when the last test has run.
    private static let running = Mutex<[(Int32, pid_t, String)]>([])

    private static func endAll() {
        for (alive, watcher, folder) in running.withLock({ $0 }) {
            close(alive)
            PostgresPrograms.wait(for: watcher)
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    /// A connection string for one of its databases.
    package func string(_ database: String, port other: Int? = nil) -> String {
        "host=127.0.0.1 port=\(other ?? port) user=cairn dbname=\(database)"
    }

    /// Makes an empty database.
    package func makeDatabase(_ name: String) throws {
        try programs.run("createdb -h 127.0.0.1 -p \(port) -U cairn \(name)")
    }

    /// Starts it, also after a crash.
    package func start() throws {
        try programs.run(
            "pg_ctl -D \(folder)/data -w -t 30 -l \(folder)/log start > /dev/null 2>&1 || ! tail \(folder)/log")
    }

    /// Makes a standby take writes.
    package func promote() throws {
        try programs.run("pg_ctl -D \(folder)/data -w -t 30 promote > /dev/null")
    }

    /// Ends all its processes at once, as a crash would.
    package func kill() throws {
        // The children of a postmaster that is gone end by themselves, a moment later; they hold the shared memory.
        try programs.run(
            "p=$(head -n 1 \(folder)/data/postmaster.pid); c=$(pgrep -P $p); kill -9 $p $c; "
                + "while kill -0 $p $c 2> /dev/null; do sleep 0.02; done")
    }

    /// Stops its postmaster or lets it go on, with all that serve connections.
    package func freeze(_ isFrozen: Bool) throws {
        try programs.run(
            "p=$(head -n 1 \(folder)/data/postmaster.pid); kill -\(isFrozen ? "STOP" : "CONT") $p $(pgrep -P $p)")
    }

    /// A port that nobody listens on. Somebody else might take it before the server does; then the server says so.
    package static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) != 0 || getsockname(descriptor, $0, &length) != 0
            }
        }
        if failed { throw PostgresFailure(description: "there is no free port: errno \(errno)") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
