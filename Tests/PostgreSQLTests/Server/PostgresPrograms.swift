import Foundation
import Glibc

/// What keeps a server from being started.
struct PostgresFailure: Error, CustomStringConvertible {
    let description: String
}

/// The programs of an installed PostgreSQL, and the user as whom they run.
struct PostgresPrograms: Sendable {
    /// The folder that has them.
    let folder: String
    /// Whether they run as the user `postgres`: a server refuses to be root's.
    let isRoot: Bool

    /// Finds them.
    /// - Throws: when there are none.
    init() throws {
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

    /// A process that runs a shell command as the right user, with the programs in its path.
    func shell(_ command: String) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: isRoot ? "/usr/sbin/runuser" : "/bin/sh")
        process.arguments = (isRoot ? ["-u", "postgres", "--", "/bin/sh"] : []) + ["-c", command]
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.environment = ["PATH": "\(folder):/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"]
        return process
    }

    /// Runs a shell command.
    /// - Throws: when it fails, with the last that it said.
    func run(_ command: String) throws {
        let process = shell(command)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // A server that it starts has its output elsewhere, so the pipe ends with the command.
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw PostgresFailure(description: "\(command): \(String(decoding: said.suffix(2000), as: UTF8.self))")
        }
    }

    /// A folder that belongs to the user of the server.
    func makeFolder() throws -> String {
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
