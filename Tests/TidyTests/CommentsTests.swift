import Testing

@Suite("Comments")
struct CommentsTests {
    // MARK: This repository

    @Test("ours leave nothing unfinished")
    func unfinished() {
        let scripts = Repository.current.files(endingIn: [""], below: ["dev", ".ci", "deploy"])
        let files = Tree.sources + Tree.tests + Tree.documents + scripts
        #expect(Comments.unfinishedWork(in: files) == [])
    }

    @Test("ours say why what is shared without a check may be shared")
    func sharing() {
        #expect(Comments.unreasonedSharing(in: Tree.sources + Tree.tests) == [])
    }

    // MARK: Planted samples

    @Test("each mark of unfinished work is found in a comment", arguments: Comments.unfinished)
    func marks(_ mark: String) {
        let found = Comments.unfinishedWork(in: [Fixture.swift("let a = 1\n// \(mark): more\n")])
        #expect(found.map(\.line) == [2])
        #expect(Comments.unfinishedWork(in: [Fixture.swift("\(mark) in a document", at: "README.md")]).count == 1)
    }

    @Test("a mark within a word, or in a string, is not one")
    func notMarks() {
        let word = Comments.unfinished[0]
        #expect(Comments.unfinishedWork(in: [Fixture.swift("// A\(word)B")]).isEmpty)
        #expect(Comments.unfinishedWork(in: [Fixture.swift("let a = \"\(word)\"")]).isEmpty)
        #expect(Comments.unfinishedWork(in: [Fixture.swift("// A\(word)B, \(word)")]).count == 1)
    }

    @Test(
        "unchecked sharing without a reason is found",
        arguments: [
            "final class A: @unchecked Sendable {}",
            "/// A thing.\nfinal class A: @unchecked Sendable {}",
            "// Far above.\n\nfinal class A: @unchecked Sendable {}",
            "nonisolated(unsafe) var a = 1", "/// A thing.\nenum A {\n    nonisolated(unsafe) static let b = c()\n}",
        ])
    func unreasoned(_ text: String) {
        #expect(Comments.unreasonedSharing(in: [Fixture.swift(text)]).count == 1)
    }

    @Test(
        "unchecked sharing with a reason beside or above is fine",
        arguments: [
            "final class A: @unchecked Sendable {}  // the pointer never changes",
            "// Every access is under the lock.\nfinal class A: @unchecked Sendable {}",
            "/// A thing.\n// Immutable after init.\nfinal class A: @unchecked Sendable {}",
            "/// Used by one thread at a time.\nfinal class A: @unchecked Sendable {}",
            "final class A: Sendable {}",
            "/// Pointers to what is immutable.\nenum A {\n    static let a = 1\n    nonisolated(unsafe) static let b = c()\n}",
        ])
    func reasoned(_ text: String) {
        #expect(Comments.unreasonedSharing(in: [Fixture.swift(text)]).isEmpty)
    }
}
