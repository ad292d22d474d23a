import Foundation
import Glibc
import Model
import TestSupport
import Testing

@testable import SyncClient

/// The kernel's own limit on watches, as a user namespace sets it for itself: the rest of the machine sees nothing of it.
@Suite("The kernel's limit on watches", .timeLimit(.minutes(1)))
struct WatchLimitTests {
    private static let mark = "CAIRN_TEST_WATCHES"
    static let isInside = ProcessInfo.processInfo.environment[mark] != nil

    /// Runs a shell command in a user namespace of its own. Returns its exit status and what it printed.
    private func inNamespace(_ command: String) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["unshare", "--user", "--map-root-user", "sh", "-c", command]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    @Test("where the kernel gives out no more watches, that is a problem and not the end", .enabled(if: !isInside))
    func limit() throws {
        let limit = "echo 3 > /proc/sys/user/max_inotify_watches"
        guard try inNamespace(limit).status == 0 else {
            print("skipped: this user may make no namespace")
            return
        }
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let run = "exec '\(program)' --testing-library swift-testing --filter WatchLimitTests/inside"
        let (status, output) = try inNamespace("\(limit) && \(Self.mark)=3 \(run)")
        #expect(status == 0, "\(output)")
        #expect(output.contains("few watches are handed out") && !output.contains("skipped"), "\(output)")
    }

    @Test("few watches are handed out, and the rest is said to be scanned from time to time", .enabled(if: isInside))
    func inside() async throws {
        let world = try LocalWorld()
        for name in ["a", "b", "c", "d", "e"] { world.makeFolder(name) }
        let watcher = try Watcher(world.opened)
        defer { watcher.stop() }
        var batches = watcher.makeAsyncIterator()
        let first = try #require(await batches.next())
        #expect(first.isEverything)
        #expect(first.problem?.code == .watchLimit)
        #expect(first.problem?.message.contains("than 3 ") == true)
        // What is watched goes on to be watched.
        world.write("file", "one")
        let second = try #require(await batches.next())
        #expect(second.folders.contains(.root) || second.isEverything)
    }
}
