import Foundation
import TestSupport

extension ScriptRunner {
    /// `exec PROGRAM ARGUMENT...` has to succeed, `! exec` to fail by itself: a crash is never what is meant.
    func execute(_ words: [String], isNegated: Bool) async throws {
        let process = try launch(words)
        guard let outcome = await process.wait(atMost: limit) else {
            last = Result(outcome: .signalled(SIGKILL), output: process.output, errors: process.errors)
            throw Failure("\(words.joined(separator: " ")) took longer than \(limit)")
        }
        last = Result(outcome: outcome, output: process.output, errors: process.errors)
        switch outcome {
        case .signalled(let number): throw Failure("\(words[0]) was ended by signal \(number)")
        case .exited(0) where isNegated: throw Failure("\(words[0]) succeeded, but should fail")
        case .exited(let code) where code != 0 && !isNegated: throw Failure("\(words[0]) failed with \(code)")
        case .exited: break
        }
    }

    /// `stdout REGEX` and `stderr REGEX` look at what the last `exec` wrote; `^` and `$` are those of a line.
    func match(_ stream: String, _ words: [String], isNegated: Bool) throws {
        let pattern = try only(words, "a regular expression")
        guard let last else { throw Failure("\(stream) before any exec") }
        let text = stream == "stdout" ? last.output : last.errors
        let found = try Self.matches(text, pattern)
        guard found != isNegated else {
            throw Failure("\(stream) \(isNegated ? "matches" : "does not match") \(pattern)")
        }
    }

    /// `exitcode N` looks at how the last `exec` ended.
    func checkExitCode(_ words: [String]) throws {
        guard let code = Int32(try only(words, "a number")) else { throw Failure("\(words[0]) is no number") }
        guard let last else { throw Failure("exitcode before any exec") }
        guard last.outcome == .exited(code) else { throw Failure("ended as \(last.outcome), not with \(code)") }
    }

    /// `cmp FILE FILE`: the bytes of both are the same.
    func compare(_ words: [String], isNegated: Bool) throws {
        guard words.count == 2 else { throw Failure("cmp needs two files") }
        let contents = try words.map { word -> Data in
            guard let data = FileManager.default.contents(atPath: resolve(word)) else {
                throw Failure("there is no file \(word)")
            }
            return data
        }
        guard (contents[0] == contents[1]) != isNegated else {
            throw Failure("\(words[0]) and \(words[1]) are \(isNegated ? "the same" : "not the same")")
        }
    }

    /// `same FOLDER FOLDER`: every entry below both is the same, links by their targets.
    func compareTrees(_ words: [String], isNegated: Bool) async throws {
        guard words.count == 2 else { throw Failure("same needs two folders") }
        for word in words where !FileManager.default.fileExists(atPath: resolve(word)) {
            throw Failure("there is no folder \(word)")
        }
        try await execute(["diff", "-r", "--no-dereference"] + words.map(resolve), isNegated: isNegated)
    }

    /// `exists PATH...`: each is there; `! exists PATH...`: none is. A link counts by itself, not by its target.
    func checkExistence(_ words: [String], isNegated: Bool) throws {
        guard !words.isEmpty else { throw Failure("exists needs a path") }
        for word in words {
            var status = stat()
            let isThere = lstat(resolve(word), &status) == 0
            guard isThere != isNegated else { throw Failure("\(word) is \(isThere ? "there" : "not there")") }
        }
    }

    /// `env NAME=VALUE` for every later program; an empty value takes the name away.
    func setEnvironment(_ words: [String]) throws {
        let parts = try only(words, "NAME=VALUE").split(
            separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { throw Failure("\(words[0]) is not NAME=VALUE") }
        environment[String(parts[0])] = parts[1].isEmpty ? nil : String(parts[1])
    }

    /// `append FILE TEXT` adds a line to a file, which is made when it is missing.
    func append(_ words: [String]) throws {
        guard words.count == 2 else { throw Failure("append needs a file and a text") }
        let path = resolve(words[0])
        if !FileManager.default.fileExists(atPath: path) {
            guard FileManager.default.createFile(atPath: path, contents: nil) else {
                throw Failure("\(words[0]) can't be made")
            }
        }
        guard let file = FileHandle(forWritingAtPath: path) else { throw Failure("\(words[0]) can't be opened") }
        try file.seekToEnd()
        try file.write(contentsOf: Data((words[1] + "\n").utf8))
        try file.close()
    }

    /// `random FILE BYTES SEED` writes bytes that no compressor makes smaller: the same for the same seed.
    func writeRandom(_ words: [String]) throws {
        guard words.count == 3, let count = Int(words[1]), let seed = UInt64(words[2]) else {
            throw Failure("random needs a file, a number of bytes and a seed")
        }
        var generator = SeededGenerator(seed: seed)
        guard FileManager.default.createFile(atPath: resolve(words[0]), contents: Data(generator.bytes(count))) else {
            throw Failure("\(words[0]) can't be written")
        }
    }

    /// `eventually COMMAND...` does the command again and again until it holds, for as long as one command may take.
    func eventually(_ words: [String], isNegated: Bool) async throws {
        let isInnerNegated = words.first == "!"
        let inner = isInnerNegated ? Array(words.dropFirst()) : words
        guard !isNegated, !inner.isEmpty, inner[0] != "eventually" else {
            throw Failure("eventually needs a command; a ! stands behind it")
        }
        try await poll("\(inner.joined(separator: " "))") {
            try await self.perform(inner, isNegated: isInnerNegated)
        }
    }

    /// Tries until there is no error; throws the last one when the time is over.
    func poll(_ what: String, _ attempt: () async throws -> Void) async throws {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: limit)
        while true {
            do {
                return try await attempt()
            } catch {
                guard clock.now < end else { throw Failure("not within \(limit): \(what): \(error)") }
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    static func matches(_ text: String, _ pattern: String) throws -> Bool {
        try text.contains(Regex(pattern).anchorsMatchLineEndings())
    }
}
