import Foundation
package import Glibc
import TestSupport

/// What keeps a server from being started.
package struct PostgresFailure: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// The programs of an installed PostgreSQL, and the user as whom they run.
package struct PostgresPrograms: Sendable {
    /// The folder that has them.
    package let folder: String
    /// Whether they run as the user `postgres`: a server refuses to be root's.
    package let isRoot: Bool

    /// Finds them.
    /// - Throws: when there are none.
    package init() throws {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let folders = versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }.map { "/usr/lib/postgresql/\($0)/bin" }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let found = (folders + path.split(separator: ":").map(String.init)).first {
            FileManager.default.isExecutableFile(atPath: $0 + "/initdb")
        }
        guard let found else {
            throw PostgresFailure(
                description: "the tests of PostgreSQL start a server of their own, but initdb is neither below "
                    + "/usr/lib/postgresql nor in PATH: run dev/setup, or install postgresql-15")
        }
        folder = found
        isRoot = geteuid() == 0
    }

    /// Starts a shell command as the right user, with the programs in its path.
    ///
    /// Not by Foundation: its processes count as running while a child of theirs, such as a server, holds what they had open.
    /// - Parameters:
    ///   - command: The command.
    ///   - input: What it reads; nothing for -1.
    ///   - output: The file that gets what it says.
    /// - Returns: the number of the process; somebody has to wait for its end.
    /// - Throws: ``PostgresFailure`` when it can't be started.
    package func start(_ command: String, input: Int32 = -1, output: String = "/dev/null") throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if input < 0 {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        } else {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let words = (isRoot ? ["runuser", "-u", "postgres", "--"] : []) + ["/bin/sh", "-c", "cd /; \(command)"]
        let environment = ["PATH=\(folder):/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"]
        var process: pid_t = 0
        let failure = Self.withList(words) { words in
            Self.withList(environment) {
                posix_spawn(&process, isRoot ? "/usr/sbin/runuser" : "/bin/sh", &actions, nil, words, $0)
            }
        }
        if failure != 0 { throw PostgresFailure(description: "\(command) can't be started: error \(failure)") }
        return process
    }

    private static func withList<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let list = strings.map { strdup($0) } + [nil]
        defer { for pointer in list { free(pointer) } }
        return body(list)
    }

    /// Waits for the end of a process.
    /// - Returns: whether it succeeded.
    @discardableResult
    package static func wait(for process: pid_t) -> Bool {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status == 0
    }

    /// Runs a shell command.
    /// - Throws: when it fails, with the last that it said.
    package func run(_ command: String) throws {
        let said = TemporaryDirectory()
        let path = said.appending("output")
        guard Self.wait(for: try start(command, output: path)) else {
            let text = try String(decoding: Data(contentsOf: URL(fileURLWithPath: path)).suffix(2000), as: UTF8.self)
            throw PostgresFailure(description: "\(command): \(text)")
        }
    }

    /// A folder that belongs to the user of the server.
    package func makeFolder() throws -> String {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/cairn-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw PostgresFailure(description: "no temporary folder in \(base): errno \(errno)")
        }
        let path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } } ?? ""
        if isRoot {
            guard let user = getpwnam("postgres"), chown(path, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
                throw PostgresFailure(description: "there is no user postgres as whom root could start a server")
            }
        }
        return path
    }
}
