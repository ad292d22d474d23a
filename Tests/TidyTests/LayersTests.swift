import Testing

@Suite("Layers and imports")
struct LayersTests {
    private func manifest(_ targets: String) -> Manifest {
        Manifest(Fixture.swift("let package = Package(targets: [\(targets)])", at: "Package.swift"))
    }

    // MARK: This repository

    @Test("our dependencies point down, and each system has its wrapper")
    func layers() throws {
        let manifest = Manifest(try #require(Tree.manifest))
        #expect(manifest.targets.count > 20)
        #expect(Layers.findings(in: manifest) == [])
    }

    @Test("our files import what their target declares, and pure ones nothing of the machine")
    func imports() throws {
        let manifest = Manifest(try #require(Tree.manifest))
        #expect(Imports(manifest: manifest).findings(in: Tree.sources) == [])
    }

    @Test("what the tables name exists")
    func tables() throws {
        let manifest = Manifest(try #require(Tree.manifest))
        for name in Layers.standing.keys { #expect(manifest[name] != nil, "\(name)") }
        for path in Imports.pureWithMachine.keys { #expect(Repository.current.paths.contains(path), "\(path)") }
    }

    // MARK: The manifest

    @Test("targets are read with their kinds, dependencies and short names")
    func reading() {
        let file = Fixture.swift(
            """
            let log = Target.Dependency.product(name: "Logging", package: "swift-log")
            let package = Package(targets: [
                .target(name: "A"),
                .target(name: "B", dependencies: ["A", log], path: "Tests/B"),
                .testTarget(name: "C", dependencies: [
                    "B", .product(name: "D", package: "d"),
                ], resources: [.copy("E")]),
            ])
            """, at: "Package.swift")
        let manifest = Manifest(file)
        #expect(manifest.targets.map(\.name) == ["A", "B", "C"])
        #expect(manifest["A"]?.dependencies == [])
        #expect(manifest["B"]?.dependencies == ["A", "Logging"])
        #expect(manifest["C"]?.dependencies == ["B", "D"])
        #expect(manifest["C"]?.kind == "testTarget")
    }

    // MARK: Planted samples

    @Test("an adapter that depends on another is found")
    func sideways() {
        let found = Layers.findings(
            in: manifest(".target(name: \"StorageLocal\", dependencies: [\"MetadataSQLite\"])"))
        #expect(found.count == 1)
    }

    @Test("an arrow that points up is found")
    func upwards() {
        #expect(Layers.findings(in: manifest(".target(name: \"Model\", dependencies: [\"Blocks\"])")).count == 1)
        #expect(Layers.findings(in: manifest(".target(name: \"Storage\", dependencies: [\"Model\"])")).isEmpty)
    }

    @Test("a system library outside its wrapper is found")
    func unwrapped() {
        #expect(Layers.findings(in: manifest(".target(name: \"Files\", dependencies: [\"COpenSSL\"])")).count == 1)
        #expect(Layers.findings(in: manifest(".target(name: \"Blocks\", dependencies: [\"COpenSSL\"])")).isEmpty)
    }

    @Test("a target or a library that nobody placed is found")
    func unplaced() {
        #expect(Layers.findings(in: manifest(".target(name: \"Novelty\")")).count == 1)
        #expect(Layers.findings(in: manifest(".target(name: \"Files\", dependencies: [\"Novelty\"])")).count == 1)
    }

    private let sample = """
        .target(name: "Model"), .target(name: "Blocks", dependencies: ["Model"]),
        .target(name: "StorageLocal", dependencies: ["Model", "Storage"]),
        .target(name: "SyncClient", dependencies: ["Model", "GRDB", "AsyncHTTPClient"]),
        """

    private func findings(_ text: String, at path: String) -> [Finding] {
        Imports(manifest: manifest(sample)).findings(in: [Fixture.swift(text, at: path)])
    }

    @Test(
        "a pure module that imports what reaches the machine is found",
        arguments: [
            "import Foundation", "public import Glibc", "import struct Foundation.Data", "import Dispatch",
        ])
    func impure(_ line: String) {
        #expect(findings(line, at: "Sources/Blocks/A.swift").count == 1)
        #expect(findings(line, at: "Sources/StorageLocal/A.swift").isEmpty)
    }

    @Test("a module that the target does not declare is found")
    func undeclared() {
        #expect(findings("import NIOCore", at: "Sources/StorageLocal/A.swift").count == 1)
        #expect(findings("import NIOCore", at: "Sources/SyncClient/A.swift").isEmpty)
        #expect(findings("@testable import Blocks", at: "Sources/StorageLocal/A.swift").count == 1)
    }

    @Test("a database outside its folder is found")
    func database() {
        #expect(findings("import GRDB", at: "Sources/SyncClient/Engine/A.swift").count == 1)
        #expect(findings("import GRDB", at: "Sources/SyncClient/State/A.swift").isEmpty)
    }

    @Test("a file outside every target is found")
    func homeless() {
        #expect(findings("import Model", at: "Sources/Novelty/A.swift").count == 1)
    }

    @Test("an import in a comment or a string is none")
    func hidden() {
        #expect(findings("// import Foundation\nlet a = \"import Foundation\"", at: "Sources/Model/A.swift").isEmpty)
    }
}
