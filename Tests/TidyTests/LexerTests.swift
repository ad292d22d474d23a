import Testing

@Suite("The lexer")
struct LexerTests {
    private func texts(_ source: String, _ kind: Token.Kind) -> [String] {
        Lexer.tokens(of: source).filter { $0.kind == kind }.map(\.text)
    }

    @Test("names, numbers and signs become tokens with their lines")
    func plainCode() {
        let tokens = Lexer.tokens(of: "let a = 12\nfoo(a)")
        #expect(tokens.map(\.text) == ["let", "a", "=", "12", "foo", "(", "a", ")"])
        #expect(tokens.map(\.line) == [1, 1, 1, 1, 2, 2, 2, 2])
    }

    @Test(
        "a brace in a string or a comment is no sign",
        arguments: [
            "\"{\"", "\"\"\"\n{ \" {\n\"\"\"", "#\"{ \"{\" \"#", "// {", "/* { /* { */ { */", "/\\{+{/", "#/{/#",
        ])
    func hiddenBraces(_ source: String) {
        #expect(!texts("let a = " + source, .punctuation).contains("{"))
    }

    @Test("the code in an interpolation is code, in strings of every form")
    func interpolation() {
        #expect(texts("\"a \\(Date()) b\"", .identifier) == ["Date"])
        #expect(texts("#\"a \\(no) \\#(yes) b\"#", .identifier) == ["yes"])
        #expect(texts("\"\\(f(\"\\(g(1))\"))\"", .identifier) == ["f", "g"])
    }

    @Test("an escaped quote does not end a string")
    func escapes() {
        #expect(texts("\"a \\\" b\" c", .identifier) == ["c"])
        #expect(texts("\"\\\\\" c", .identifier) == ["c"])
    }

    @Test("a long string may hold quotes and keeps the count of lines right")
    func longString() {
        let tokens = Lexer.tokens(of: "\"\"\"\na \"quoted\" b\n\"\"\"\nnext")
        #expect(tokens.last?.text == "next")
        #expect(tokens.last?.line == 4)
        #expect(tokens.first?.endLine == 3)
    }

    @Test("a slash divides behind an operand and starts an expression elsewhere")
    func slashes() {
        #expect(texts("a / b / c", .string).isEmpty)
        #expect(texts("(a)/b/c", .string).isEmpty)
        #expect(texts("x.split(/ab+/)", .string) == ["/ab+/"])
        #expect(texts("reduce(1, /)", .string).isEmpty)
    }

    @Test("documentation is told from other comments")
    func comments() {
        let source = "/// doc\n// plain\n//// rule\n/** doc */\n/* plain */\n/**/ x"
        #expect(texts(source, .documentation) == ["/// doc", "/** doc */"])
        #expect(texts(source, .comment) == ["// plain", "//// rule", "/* plain */", "/**/"])
        #expect(texts(source, .identifier) == ["x"])
    }

    @Test("a name in backticks is one name")
    func quotedNames() {
        #expect(texts("func `a long name`() {}", .identifier) == ["func", "a long name"])
    }

    @Test(
        "source that ends in the middle of something ends the tokens",
        arguments: [
            "\"abc", "\"\"\"\nabc", "/* abc", "`abc", "#\"abc", "\"\\(abc", "/abc", "#", "\"\\",
        ])
    func tornSource(_ source: String) {
        #expect(Lexer.tokens(of: source).count <= 4)
    }
}
