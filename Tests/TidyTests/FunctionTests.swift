import Testing

@Suite("The function scanner")
struct FunctionTests {
    private func lengths(_ source: String) -> [String: Int] {
        Dictionary(
            Fixture.swift(source).functions.map { ($0.name, $0.length) }, uniquingKeysWith: { first, _ in first })
    }

    @Test("a function is as long as its lines from keyword to brace")
    func length() {
        #expect(lengths("func a() {\n    b()\n}\n") == ["a": 3])
        #expect(lengths("func a() {}") == ["a": 1])
        #expect(lengths("func a(\n    b: Int\n) -> Int {\n    b\n}") == ["a": 5])
    }

    @Test("braces in strings and comments do not count")
    func hiddenBraces() {
        #expect(lengths("func a() {\n    let b = \"}\"  // }\n    c()\n}\nlet d = 1") == ["a": 4])
    }

    @Test("a closure in a default argument is not the body")
    func defaultArgument() {
        #expect(lengths("func a(b: () -> Void = { c() }) {\n    b()\n}") == ["a": 3])
    }

    @Test("a requirement of a protocol has no body")
    func requirement() {
        #expect(
            lengths("protocol P {\n    func a()\n    @x func b() throws\n    var c: Int { get }\n}\nfunc d() {}\n")
                .keys.sorted() == ["c", "d"])
    }

    @Test("an initializer is a function, a call of one is not")
    func initializers() {
        let source = "struct S {\n    init() {\n        self.init(1)\n    }\n    init(_ a: Int) {}\n    deinit {}\n}\n"
        let found = Fixture.swift(source).functions
        #expect(found.map(\.name) == ["init", "init", "deinit"])
        #expect(found.map(\.length) == [3, 1, 1])
    }

    @Test("a computed property is measured, a stored one with a closure is not")
    func properties() {
        #expect(lengths("var a: Int {\n    1\n}\nvar b = {\n    1\n}()\nvar c: Int\nif d {\n}\n") == ["a": 3])
    }

    @Test("a nested function is measured by itself and with the one around it")
    func nested() {
        #expect(lengths("func a() {\n    func b() {\n        c()\n    }\n    b()\n}\n") == ["a": 6, "b": 3])
    }

    @Test("a subscript and an operator are functions")
    func others() {
        #expect(
            lengths("subscript(a: Int) -> Int {\n    a\n}\nstatic func == (a: S, b: S) -> Bool { true }")
                == ["subscript": 3, "func": 1])
    }
}
