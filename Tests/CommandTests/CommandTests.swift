import Foundation
import Testing

/// Each script in `Scripts` against the programs that were built with these tests.
@Suite("Commands", .serialized)
struct CommandTests {
    @Test("the programs are there, and so are the scripts")
    func binaries() throws {
        for name in ["cairn", "cairn-server"] {
            #expect(FileManager.default.isExecutableFile(atPath: "\(Binaries.folder)/\(name)"), "\(name)")
        }
        #expect(try !Binaries.scripts().isEmpty)
    }

    @Test("a script holds", arguments: try Binaries.scripts())
    func script(_ name: String) async throws {
        try await ScriptRunner(Binaries.script(name), binaries: Binaries.folder).run()
    }
}
