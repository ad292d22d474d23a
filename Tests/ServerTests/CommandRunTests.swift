import ArgumentParser
import Files
import Foundation
import Metadata
import MetadataSQLite
import Model
import TestSupport
import Testing

@testable import cairn_server

@Suite("Commands from their words to their exit codes")
struct CommandRunTests {
    private let directory = TemporaryDirectory()
    private var data: String { directory.appending("data") }
    private var out: String { directory.appending("out") }

    /// Runs a command line; answers its exit code.
    private func run(_ words: String..., on folder: String? = nil) async throws -> Int32 {
        let parsed = try CairnServer.parseAsRoot(words + ["--data", folder ?? data])
        var command = try #require(parsed as? any AsyncParsableCommand)
        do {
            try await command.run()
            return 0
        } catch let code as ExitCode { return code.rawValue }
    }

    /// A stopped server with two revisions of `/a`, and `/b`.
    private func filled() async throws {
        let served = try await ServedFolder(data)
        try await served.put("/a", Array("old".utf8))
        try await served.put("/a", Array("new".utf8))
        try await served.put("/b", Array("other".utf8))
        try await served.close()
    }

    private func text(_ name: String) -> String? { try? String(contentsOfFile: "\(out)/\(name)", encoding: .utf8) }

    @Test("an export is of the head, of a revision or of a moment")
    func export() async throws {
        try await filled()
        #expect(try await run("export", out, "--account", "ada") == 0)
        #expect(text("a") == "new" && text("b") == "other")
        try FileManager.default.removeItem(atPath: out)
        #expect(try await run("export", out, "--account", "ada", "--at", "1") == 0)
        #expect(text("a") == "old" && text("b") == nil)
        // Each file came a minute after the one before, from 03:04:05 on.
        try FileManager.default.removeItem(atPath: out)
        #expect(try await run("export", out, "--account", "ada", "--at", "2026-01-02T03:06:30Z") == 0)
        #expect(text("a") == "new" && text("b") == nil)
    }

    @Test("an export that can't be is refused before anything is made")
    func exportRefused() async throws {
        try await filled()
        #expect(try await run("export", out, "--account", "bob") == 64)
        #expect(try await run("export", out, "--account", "ada", "--at", "4") == 64)
        #expect(try await run("export", out, "--account", "ada", on: directory.appending("none")) == 78)
        #expect(try await run("export", out, "--account", "ada", on: directory.path) == 78)
        #expect(!FileManager.default.fileExists(atPath: out))
    }

    @Test("a backup without its keyring, a restore with it, and a check of what came of it")
    func backup() async throws {
        try await filled()
        let (backup, target) = (directory.appending("backup"), directory.appending("restored"))
        #expect(try await run("backup", backup) == 0)
        #expect(!FileManager.default.fileExists(atPath: backup + "/keyring"))
        #expect(try await run("restore", backup, on: target) == 78)
        // A slash at the end names the same directory.
        #expect(try await run("restore", backup, "--keyring", data + "/keyring", on: target + "/") == 0)
        #expect(try await run("fsck", "--full", on: target) == 0)
        #expect(try await run("export", out, "--account", "ada", on: target) == 0)
        #expect(text("a") == "new")
        #expect(try await run("restore", backup, "--keyring", data + "/keyring", on: target) == 78)
        #expect(try await run("fsck", "--repair", on: backup) == 64)
    }

    @Test("a quota is set and taken away; one of nobody is refused")
    func quota() async throws {
        let served = try await ServedFolder(data)
        let account = served.account.id
        func quota() async throws -> UInt64? { try await served.read { try QuotaQueries($0).quota(of: account) } }
        #expect(try await run("account", "quota", "ada", "3G") == 0)
        #expect(try await quota() == 3 << 30)
        #expect(try await run("account", "quota", "bob", "1M") == 64)
        #expect(try await quota() == 3 << 30)
        #expect(try await run("account", "quota", "ada", "none") == 0)
        #expect(try await quota() == nil)
        try await served.close()
    }

    @Test("a policy that is refused leaves the one before")
    func retention() async throws {
        let served = try await ServedFolder(data)
        try await served.put("/d/f", [1])
        let broken = directory.appending("broken.json")
        try Data(#"{"max_versions":"many"}"#.utf8).write(to: URL(fileURLWithPath: broken))
        #expect(try await run("retention", "set", "ada", "/d", "keep-all") == 0)
        #expect(try await run("retention", "set", "ada", "/d", broken) == 64)
        #expect(try await run("retention", "set", "ada", "/d/../d", "default") == 64)
        #expect(try await run("retention", "set", "ada", "/none", "default") == 64)
        #expect(try await run("retention", "set", "ada", "/d/f", "default") == 64)
        #expect(try await run("retention", "set", "bob", "default") == 64)
        let database = try SQLiteMetadataDatabase(path: served.folder.database)
        let rules = SetRetention(database: database, clock: ManualClock())
        let left = try await rules.rules(of: "ada")
        #expect(left.map(\.text) == ["keep-all"] && left[0].folder.map { "\($0)" } == "/d")
        #expect(try await run("retention", "set", "ada", "/d", "--unset") == 0)
        #expect(try await run("retention", "set", "ada", "/d", "--unset") == 64)
        #expect(try await rules.rules(of: "ada").isEmpty)
        try await database.close()
        try await served.close()
    }
}
