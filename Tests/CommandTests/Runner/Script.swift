/// A test of the commands, written as text: lines of what to do, then the files that it starts with.
///
///     # What this shows.
///     server start
///     exec cairn ls
///     stdout '^docs/$'
///     -- note.txt --
///     The first line of note.txt.
///
/// The form of each line stands at the method of ScriptRunner that does it.
struct Script {
    /// One line of a script.
    struct Step: Equatable {
        /// The line in the file, from 1.
        let line: Int
        /// `!` stood before it: it has to fail.
        let isNegated: Bool
        /// The words after quotes were taken off, with what is to be put in for variables still to do.
        let words: [ScriptWord]
    }

    let name: String
    let steps: [Step]
    /// Paths relative to the script's folder, with their text.
    let files: [String: String]

    /// Reads a script; throws what is wrong with which line.
    init(name: String, text: String) throws {
        var steps: [Step] = []
        var files: [String: String] = [:]
        var current: String?
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            if let path = Self.marker(line) {
                guard files[path] == nil else { throw ScriptError(name, index + 1, "the file \(path) is there twice") }
                files[path] = ""
                current = path
            } else if let path = current {
                let isEnd = index == lines.count - 1 && line.isEmpty
                files[path, default: ""] += isEnd ? "" : line + "\n"
            } else if let step = try Self.step(line, name: name, number: index + 1) {
                steps.append(step)
            }
        }
        guard !steps.isEmpty else { throw ScriptError(name, lines.count, "the script does nothing") }
        self.name = name
        self.steps = steps
        self.files = files
    }

    /// The path in `-- path --`.
    private static func marker(_ line: Substring) -> String? {
        guard line.hasPrefix("-- "), line.hasSuffix(" --"), line.count > 6 else { return nil }
        return String(line.dropFirst(3).dropLast(3))
    }

    private static func step(_ line: Substring, name: String, number: Int) throws -> Step? {
        let words: [ScriptWord]
        do {
            words = try ScriptWord.split(String(line))
        } catch {
            throw ScriptError(name, number, "\(error)")
        }
        guard let first = words.first else { return nil }
        let isNegated = first == ScriptWord(plain: "!")
        let rest = isNegated ? Array(words.dropFirst()) : words
        guard !rest.isEmpty else { throw ScriptError(name, number, "nothing follows the !") }
        return Step(line: number, isNegated: isNegated, words: rest)
    }
}

/// Why a script failed, and where.
struct ScriptError: Error, CustomStringConvertible {
    let script: String
    let line: Int
    let message: String

    init(_ script: String, _ line: Int, _ message: String) {
        self.script = script
        self.line = line
        self.message = message
    }

    var description: String { "\(script):\(line): \(message)" }
}
