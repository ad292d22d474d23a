import Foundation
import TestSupport

@testable import S3Support

/// Runs a script in a folder of its own.
///
/// Each word that a line may begin with is a method in one of the extensions. Whatever a script started is gone when
/// ``run()`` returns, whether it succeeded or not.
final class ScriptRunner {
    /// How the last `exec` ended and what it wrote.
    struct Result {
        var outcome: ChildProcess.Outcome
        var output: String
        var errors: String
    }

    let script: Script
    /// Where `cairn` and `cairn-server` are.
    let binaries: String
    /// The longest that one command, or one wait, may take.
    let limit: Duration
    let folder = TemporaryDirectory()

    var variables: [String: String]
    var environment: [String: String]
    var directory: String
    var input: String?
    var last: Result?
    var background: [String: ChildProcess] = [:]
    var buckets: [String: FakeS3] = [:]
    private var started = 0

    init(_ script: Script, binaries: String, limit: Duration = .seconds(60)) {
        self.script = script
        self.binaries = binaries
        self.limit = limit
        let work = folder.appending("work")
        directory = work
        variables = ["WORK": work, "BIN": binaries, "TOOLS": Self.tools, "DATA": folder.appending("server")]
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        environment = [
            "PATH": "\(binaries):\(path)", "HOME": work, "LANG": "C.UTF-8", "TZ": "UTC",
            "TMPDIR": folder.appending("tmp"),
        ]
    }

    /// Where the programs are that no build makes: `tools` in the repository.
    private static let tools = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("tools").path

    /// Does every line; throws a ``ScriptError`` for the first that does not hold.
    func run() async throws {
        var failure: (any Error)?
        do {
            try prepare()
            for step in script.steps { try await perform(step) }
        } catch {
            failure = error
        }
        await endAll()
        if let failure { throw failure }
    }

    /// Does one line, and looks at whether it went as the line says.
    private func perform(_ step: Script.Step) async throws {
        do {
            let words = try step.words.map { try $0.expanded(variables) }
            try await perform(words, isNegated: step.isNegated)
        } catch {
            throw ScriptError(script.name, step.line, "\(error)\(transcript)")
        }
    }

    /// Does the command that some words make.
    func perform(_ words: [String], isNegated: Bool) async throws {
        let rest = Array(words.dropFirst())
        switch words[0] {
        case "exec": try await execute(rest, isNegated: isNegated)
        case "stdout", "stderr": try match(words[0], rest, isNegated: isNegated)
        case "exitcode": try checkExitCode(rest)
        case "cmp": try compare(rest, isNegated: isNegated)
        case "same": try await compareTrees(rest, isNegated: isNegated)
        case "equal-buckets": try compareBuckets(rest, isNegated: isNegated)
        case "exists": try checkExistence(rest, isNegated: isNegated)
        case "eventually": try await eventually(rest, isNegated: isNegated)
        default:
            guard !isNegated else { throw Failure("! does not go with \(words[0])") }
            try await performAlways(words[0], rest)
        }
    }

    /// The commands that can't be turned round by a `!`.
    private func performAlways(_ command: String, _ rest: [String]) async throws {
        switch command {
        case "stdin": input = try resolve(only(rest, "a file"))
        case "cd": directory = try resolve(only(rest, "a folder"))
        case "env": try setEnvironment(rest)
        case "device": environment["CAIRN_HOME"] = folder.appending("devices/" + (try only(rest, "a name")))
        case "append": try append(rest)
        case "random": try writeRandom(rest)
        case "start": try startNamed(rest)
        case "await": try await awaitOutput(rest)
        case "stop": try await stop(only(rest, "a name"))
        case "ended": try await awaitEnd(only(rest, "a name"))
        case "kill": try await killNamed(only(rest, "a name"))
        case "server": try await server(rest)
        case "postgres": try makeDatabase()
        case "bucket": try await bucket(rest)
        case "wait-ready": try await waitReady()
        default: throw Failure("there is no command \(command)")
        }
    }

    private func prepare() throws {
        for name in ["work", "tmp", "devices", "logs"] {
            try FileManager.default.createDirectory(
                atPath: folder.appending(name), withIntermediateDirectories: true)
        }
        for (path, text) in script.files {
            let target = resolve(path)
            let parent = URL(fileURLWithPath: target).deletingLastPathComponent().path
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            try text.write(toFile: target, atomically: false, encoding: .utf8)
        }
    }

    // MARK: What the commands share

    /// Starts a program: one of ours by its name, or one in the search path.
    func launch(_ words: [String]) throws -> ChildProcess {
        guard let program = words.first else { throw Failure("nothing to run") }
        started += 1
        let launch = ChildProcess.Launch(
            program: try locate(program), arguments: Array(words.dropFirst()), environment: environment,
            folder: directory, input: input)
        input = nil
        return try ChildProcess(launch, log: folder.appending("logs/\(started)"))
    }

    func resolve(_ path: String) -> String { path.hasPrefix("/") ? path : "\(directory)/\(path)" }

    func only(_ words: [String], _ what: String) throws -> String {
        guard words.count == 1 else { throw Failure("needs \(what), and nothing else") }
        return words[0]
    }

    private func locate(_ program: String) throws -> String {
        if program.contains("/") { return resolve(program) }
        let folders = (environment["PATH"] ?? "").split(separator: ":")
        for folder in folders where FileManager.default.isExecutableFile(atPath: "\(folder)/\(program)") {
            return "\(folder)/\(program)"
        }
        throw Failure("there is no program \(program) in \(environment["PATH"] ?? "")")
    }

    /// What a reader of a failure wants to see: the end of what was written last.
    private var transcript: String {
        var text = ""
        if let last {
            text += "\n[last exec: \(last.outcome)]\n[stdout]\n\(last.output.suffix(2000))"
            text += "\n[stderr]\n\(last.errors.suffix(2000))"
        }
        for (name, process) in background.sorted(by: { $0.key < $1.key }) {
            text += "\n[\(name): \(process.output.suffix(1000))\(process.errors.suffix(1000))]"
        }
        return text
    }

    private func endAll() async {
        for process in background.values { process.signal(SIGKILL) }
        for process in background.values { _ = await process.wait(atMost: .seconds(10)) }
        background = [:]
        await endBuckets()
    }
}

/// Why a line does not hold; the runner adds where it stands.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
