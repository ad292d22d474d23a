import Foundation
import TestSupport
import Testing

@Suite("Belongings")
struct BelongingsTests {
    // MARK: This repository

    @Test("no file of ours names a path of one machine")
    func machinePaths() {
        let endings = [".swift", ".md", ".sh", ".py", ".yml", ".yaml", ".txt", ".c", ".h", ".json", "Makefile"]
        let files = Repository.current.files(endingIn: endings)
        let scripts = Repository.current.files(endingIn: [""], below: ["dev", ".ci", "deploy"])
        #expect(Belongings.machinePaths(in: files + scripts) == [])
    }

    @Test("nothing that a build makes is committed", .enabled(if: Repository.current.tracked != nil))
    func products() {
        #expect(Belongings.products(among: Repository.current.tracked ?? []) == [])
    }

    @Test("no file of ours only holds a place")
    func stubs() {
        #expect(Belongings.stubs(among: Repository.current.paths) == [])
    }

    @Test("our tests are at least nine tenths as long as our sources")
    func ratio() {
        #expect(Belongings.testRatio(sources: Tree.sources, tests: Tree.tests) == [])
    }

    @Test("the repository is found, and an exported tree is walked instead")
    func repository() throws {
        #expect(Repository.current.paths.contains("Package.swift"))
        let folder = TemporaryDirectory()
        let manifest = folder.appending("Package.swift")
        try "let a = 1\n".write(toFile: manifest, atomically: true, encoding: .utf8)
        let exported = Repository(below: folder.appending("Anything.swift"))
        #expect(exported.tracked == nil)
        #expect(exported.paths == ["Package.swift"])
        #expect(exported.read("Package.swift") == "let a = 1\n")
    }

    // MARK: Planted samples

    @Test("a path of one machine is found", arguments: Belongings.machineFolders)
    func machinePath(_ folder: String) {
        for line in ["cd \(folder)a", "\"\(folder)a\"", "\(folder)a"] {
            #expect(Belongings.machinePaths(in: [Fixture.swift("\n" + line, at: "a.md")]).map(\.line) == [2])
        }
        for line in ["data\(folder)a", ".\(folder)a", "$DIR\(folder)a"] {
            #expect(Belongings.machinePaths(in: [Fixture.swift(line, at: "a.md")]).isEmpty, "\(line)")
        }
    }

    @Test("what a build makes is found among the committed")
    func product() {
        let paths = [
            ".build/debug/a", "Package.resolved", "dev/__pycache__/a.pyc", "Benchmarks/Package.resolved", "a.o",
        ]
        #expect(Belongings.products(among: paths).count == paths.count)
        #expect(Belongings.products(among: ["Package.swift", "Sources/Model/Node.swift"]).isEmpty)
    }

    @Test("a place holder is found")
    func stub() {
        #expect(Belongings.stubs(among: ["Sources/Model/Stub.swift", "Sources/Model/Node.swift"]).count == 1)
    }

    @Test("too few lines of tests are found")
    func fewTests() {
        let ten = [Fixture.file(lines: 10)]
        #expect(Belongings.testRatio(sources: ten, tests: [Fixture.file(lines: 8)]).count == 1)
        #expect(Belongings.testRatio(sources: ten, tests: ten).isEmpty)
    }
}
