import Foundation
import PostgreSQLSupport
import TestSupport

extension ScriptRunner {
    /// `start NAME PROGRAM ARGUMENT...` leaves a program running.
    func startNamed(_ words: [String]) throws {
        guard words.count >= 2 else { throw Failure("start needs a name and a program") }
        guard background[words[0]] == nil else { throw Failure("\(words[0]) is running already") }
        background[words[0]] = try launch(Array(words.dropFirst()))
    }

    /// `await NAME REGEX` waits until a running program has written what matches, to either stream.
    func awaitOutput(_ words: [String]) async throws {
        guard words.count == 2 else { throw Failure("await needs a name and a regular expression") }
        let process = try running(words[0])
        try await poll("\(words[0]) writes \(words[1])") {
            if try Self.matches(process.output + process.errors, words[1]) { return }
            throw Failure(process.outcome.map { "it ended: \($0)" } ?? "not yet")
        }
    }

    /// `stop NAME` asks a program to end, which it has to do by itself and with success.
    func stop(_ name: String) async throws {
        let process = try running(name)
        process.signal(SIGTERM)
        guard let outcome = await process.wait(atMost: limit) else { throw Failure("\(name) does not stop") }
        keep(process, outcome)
        background[name] = nil
        guard outcome == .exited(0) else { throw Failure("\(name) stopped as \(outcome)") }
    }

    /// `ended NAME` waits until a program ends by itself; `exitcode` then says how.
    func awaitEnd(_ name: String) async throws {
        let process = try running(name)
        guard let outcome = await process.wait(atMost: limit) else { throw Failure("\(name) does not end") }
        keep(process, outcome)
        background[name] = nil
        if case .signalled(let number) = outcome { throw Failure("\(name) was ended by signal \(number)") }
    }

    /// `kill NAME` ends a program without a warning.
    func killNamed(_ name: String) async throws {
        let process = try running(name)
        process.signal(SIGKILL)
        guard let outcome = await process.wait(atMost: limit) else { throw Failure("\(name) can't be killed") }
        keep(process, outcome)
        background[name] = nil
        guard outcome == .signalled(SIGKILL) else { throw Failure("\(name) had ended before: \(outcome)") }
    }

    /// `server start [ARGUMENT...]`, `server stop`, `server kill`: a server with its data in `$DATA`, at `$SERVER`. Started
    /// again it has the same address, so that devices find it.
    func server(_ words: [String]) async throws {
        switch words.first {
        case "start": try await startServer(Array(words.dropFirst()))
        case "stop" where words.count == 1: try await stop("server")
        case "kill" where words.count == 1: try await killNamed("server")
        default: throw Failure("server needs start, stop or kill")
        }
    }

    /// `postgres` makes an empty database in a server that all scripts share, with its connection string in `$POSTGRES`.
    func makeDatabase() throws {
        let server = try PostgresServer.shared()
        let name = "script_\(UInt32.random(in: 0 ... .max))"
        try server.makeDatabase(name)
        variables["POSTGRES"] = server.string(name)
    }

    /// `wait-ready` waits until the server says that it can take requests.
    func waitReady() async throws {
        let address = try known("SERVER")
        _ = try running("server")
        try await poll("\(address)/ready answers") {
            try await self.execute(
                ["curl", "--silent", "--fail", "--max-time", "5", "--insecure", "\(address)/ready"], isNegated: false)
        }
    }

    private func startServer(_ arguments: [String]) async throws {
        let data = try known("DATA")
        let authority = variables["SERVER"].flatMap { URL(string: $0) }
            .flatMap { url in url.port.map { "\(url.host ?? "127.0.0.1"):\($0)" } }
        try startNamed(
            ["server", "cairn-server", "run", "--data", data, "--listen", authority ?? "127.0.0.1:0"] + arguments)
        try await awaitOutput(["server", "listening on https?://\\S+\\s"])
        let output = try running("server").output
        guard let match = output.firstMatch(of: /listening on (https?:\/\/\S+)/) else {
            throw Failure("the server does not say where it listens")
        }
        variables["SERVER"] = String(match.1)
    }

    private func running(_ name: String) throws -> ChildProcess {
        guard let process = background[name] else { throw Failure("\(name) is not running") }
        return process
    }

    private func known(_ variable: String) throws -> String {
        guard let value = variables[variable] else { throw UnknownVariable(name: variable) }
        return value
    }

    /// What a program that ended has written can be looked at as if `exec` had run it.
    private func keep(_ process: ChildProcess, _ outcome: ChildProcess.Outcome) {
        last = Result(outcome: outcome, output: process.output, errors: process.errors)
    }
}
