import Testing

@Suite("Banned calls")
struct BannedCallsTests {
    // MARK: This repository

    @Test("our sources make none")
    func sources() {
        #expect(BannedCalls.inSources.findings(in: Tree.sources) == [])
    }

    @Test("our tests never sleep on a wall clock")
    func tests() {
        #expect(BannedCalls.inTests.findings(in: Tree.tests) == [])
    }

    @Test("every exception has its reason")
    func exceptions() {
        for ban in BannedCalls.inSources.bans + BannedCalls.inTests.bans {
            #expect(!ban.reason.isEmpty)
            for reason in ban.allowed.values { #expect(reason.count > 10, "\(ban.name)") }
        }
    }

    // MARK: Planted samples

    @Test(
        "each banned call is found in sources",
        arguments: [
            "let a = Date()", "let a = Date(timeIntervalSince1970: 0)", "let a = Date.now",
            "clock_gettime(CLOCK_REALTIME, &a)",
            "let a = UUID()", "var a = SystemRandomNumberGenerator()", "let a = list.randomElement()",
            "list.shuffled()", "print(a)", "Swift.debugPrint(a)", "let a = try! b()", "fatalError(\"no\")",
            "Task { await a() }", "Task(priority: .low) { }", "Task.detached { }", "Thread.sleep(forTimeInterval: 1)",
            "sleep(1)", "usleep(1)", "let a = \"\\(Date())\"", "Task\n{ }",
        ])
    func found(_ line: String) {
        let isMember = line.contains("Swift.")
        #expect(BannedCalls.inSources.findings(in: [Fixture.swift(line)]).count == (isMember ? 0 : 1), "\(line)")
    }

    @Test(
        "what only looks like one is not found",
        arguments: [
            "// Date()", "let a = \"print(1)\"", "clock.sleep(for: .seconds(1))", "func print(_ a: Int) {}",
            "let a: Task<Void, Never>", "list.shuffled(using: &generator)", "let a = try? b()", "Update()",
            "list.randomElement(using: &generator)", "blueprint(a)",
        ])
    func notFound(_ line: String) {
        #expect(BannedCalls.inSources.findings(in: [Fixture.swift(line)]).isEmpty, "\(line)")
    }

    @Test("an exception holds for its file or folder and for no other")
    func allowed() {
        let generator = "var a = SystemRandomNumberGenerator()"
        func count(_ text: String, _ path: String) -> Int {
            BannedCalls.inSources.findings(in: [Fixture.swift(text, at: path)]).count
        }
        #expect(count(generator, "Sources/cairn/Compose.swift") == 0)
        #expect(count(generator, "Sources/cairnage/Compose.swift") == 1)
        #expect(count("print(1)", "Sources/cairn-server/Output.swift") == 0)
        #expect(count("print(1)", "Sources/cairn/Status.swift") == 1)
        #expect(count("Date()", "Sources/cairn-server/Output.swift") == 1)
    }

    @Test("a test that sleeps is found with its line")
    func sleepingTest() {
        let text = "func a() async throws {\n    try await Task.sleep(for: .seconds(1))\n}\n"
        let found = BannedCalls.inTests.findings(in: [Fixture.swift(text, at: "Tests/ModelTests/A.swift")])
        #expect(found.map(\.line) == [2])
    }
}
