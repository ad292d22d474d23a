import Testing

@Suite("Reading scripts")
struct ScriptTests {
    private func words(_ line: String, _ variables: [String: String] = [:]) throws -> [String] {
        try ScriptWord.split(line).map { try $0.expanded(variables) }
    }

    @Test("lines become steps, comments and empty lines do not")
    func steps() throws {
        let script = try Script(name: "a", text: "# Words.\n\nexec true\n! exec false # why\n")
        #expect(script.steps.map(\.line) == [3, 4])
        #expect(script.steps.map(\.isNegated) == [false, true])
        #expect(script.steps.map(\.words.count) == [2, 2])
    }

    @Test("what follows a marker is a file, up to the next")
    func files() throws {
        let script = try Script(name: "a", text: "exec true\n-- a/b.txt --\none\n\ntwo\n-- c --\n-- d --\nx\n")
        #expect(script.files == ["a/b.txt": "one\n\ntwo\n", "c": "", "d": "x\n"])
        #expect(script.steps.count == 1)
    }

    @Test("words are split at spaces, not within quotes")
    func quotes() throws {
        #expect(try words("a 'b c' \"d e\"f g'h'") == ["a", "b c", "d ef", "gh"])
        #expect(try words("a '' \"\"") == ["a", "", ""])
        #expect(try words("\ta   b ") == ["a", "b"])
    }

    @Test("a number sign is a comment only at the start of a word")
    func comments() throws {
        #expect(try words("a b#c '# d' # e") == ["a", "b#c", "# d"])
    }

    @Test("variables are put in, except within single quotes")
    func variables() throws {
        #expect(try words("$ ^a$ \"b$\"") == ["$", "^a$", "b$"])
        #expect(try words("$A/b \"$A c\" '$A' x$A", ["A": "1"]) == ["1/b", "1 c", "$A", "x1"])
    }

    @Test("a value with spaces stays one word")
    func wideValues() throws {
        #expect(try words("$A", ["A": "b c"]) == ["b c"])
    }

    @Test("an unknown variable is named")
    func unknown() throws {
        #expect(throws: UnknownVariable.self) { try words("$NONE") }
    }

    @Test(
        "a script that can't be read says in which line",
        arguments: [("exec true\nexec 'a\n", 2), ("!\n", 1), ("# Nothing.\n", 2)])
    func malformed(_ text: String, _ line: Int) throws {
        let error = try #require(throws: ScriptError.self) { try Script(name: "bad", text: text) }
        #expect(error.line == line)
        #expect(error.description.hasPrefix("bad:\(line): "))
    }

    @Test("the same file twice is refused")
    func twice() {
        #expect(throws: ScriptError.self) { try Script(name: "a", text: "exec true\n-- b --\n-- b --\n") }
    }
}
