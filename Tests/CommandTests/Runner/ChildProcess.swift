import Foundation
import Synchronization

/// A process that a script started, with what it wrote in two files.
final class ChildProcess: Sendable {
    /// How a process ended.
    enum Outcome: Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    /// What to start, and in which surroundings.
    struct Launch {
        var program: String
        var arguments: [String]
        var environment: [String: String]
        var folder: String
        var input: String?
    }

    private struct State {
        var identifier: Int32 = 0
        var outcome: Outcome?
        var waiting: [CheckedContinuation<Outcome, Never>] = []
    }

    private let outputPath: String
    private let errorPath: String
    private let state = Mutex(State())

    /// Starts a process; `log` is the path that its two output files begin with.
    init(_ launch: Launch, log: String) throws {
        outputPath = log + ".out"
        errorPath = log + ".err"
        let identifier = try Self.spawn(launch, output: outputPath, errors: errorPath)
        state.withLock { $0.identifier = identifier }
        // One thread for each process: waitpid is the one call that can't miss an end.
        Thread.detachNewThread { self.finish(Self.awaitEnd(of: identifier)) }
    }

    /// Foundation's `Process` is not used: it has crashed on arguments and surroundings that are right.
    private static func spawn(_ launch: Launch, output: String, errors: String) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let writing = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 0, launch.input ?? "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, writing, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, errors, writing, 0o644)
        // `env` becomes the program: the calls that change the folder of a new process are not seen from Swift.
        let starter = "/usr/bin/env"
        let words = [starter, "-C", launch.folder, launch.program] + launch.arguments
        var arguments = words.map { strdup($0) } + [nil]
        var environment = launch.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (arguments + environment).forEach { free($0) } }
        var identifier: Int32 = 0
        let code = posix_spawn(&identifier, starter, &actions, nil, &arguments, &environment)
        guard code == 0 else { throw Failure("can't start \(launch.program): \(String(cString: strerror(code)))") }
        return identifier
    }

    private static func awaitEnd(of identifier: Int32) -> Outcome {
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) == -1 && errno == EINTR {}
        let number = status & 0x7F
        return number == 0 ? .exited((status >> 8) & 0xFF) : .signalled(number)
    }

    /// What it has written to its standard output so far.
    var output: String { Self.read(outputPath) }

    /// What it has written to its standard error so far.
    var errors: String { Self.read(errorPath) }

    /// How it ended; nil while it runs.
    var outcome: Outcome? { state.withLock { $0.outcome } }

    /// Sends a signal; does nothing once it has ended.
    func signal(_ number: Int32) {
        state.withLock { state in
            if state.outcome == nil { _ = kill(state.identifier, number) }
        }
    }

    /// Waits for the end; after the time limit kills the process and answers nil.
    func wait(atMost limit: Duration) async -> Outcome? {
        await withTaskGroup(of: Outcome?.self) { group in
            group.addTask { await self.end() }
            group.addTask {
                try? await Task.sleep(for: limit)
                if !Task.isCancelled { self.signal(SIGKILL) }
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    private func end() async -> Outcome {
        await withCheckedContinuation { continuation in
            let ended = state.withLock { state -> Outcome? in
                if state.outcome == nil { state.waiting.append(continuation) }
                return state.outcome
            }
            if let ended { continuation.resume(returning: ended) }
        }
    }

    private func finish(_ outcome: Outcome) {
        let waiting = state.withLock { state in
            state.outcome = outcome
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: outcome) }
    }

    private static func read(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
