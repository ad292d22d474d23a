import Foundation
import TestSupport
import Testing

@testable import cairn_server

@Suite("The data directory")
struct DataFolderTests {
    private let directory = TemporaryDirectory()

    @Test("it is made for its owner alone when it may be, and must be there else")
    func made() throws {
        let path = directory.appending("a/b")
        let missing = #expect(throws: Failure.self) { try DataFolder(path, create: false) }
        #expect(missing?.code == .configuration)
        _ = try DataFolder(path, create: true)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        _ = try DataFolder(path, create: false)
    }

    @Test("a file in its place is told as such")
    func file() throws {
        let path = directory.appending("file")
        try Data().write(to: URL(fileURLWithPath: path))
        let failure = #expect(throws: Failure.self) { try DataFolder(path, create: true) }
        #expect(failure?.code == .configuration)
        #expect(failure?.message.contains(path) == true)
        let below = #expect(throws: Failure.self) { try DataFolder(path + "/below", create: true) }
        #expect(below?.code == .cannotCreate || below?.code == .configuration)
    }

    @Test("one server has it at a time, until the descriptor of the lock is closed")
    func lock() throws {
        let folder = try DataFolder(directory.path, create: false)
        let first = try folder.takeLock()
        let second = #expect(throws: Failure.self) { try folder.takeLock() }
        #expect(second?.code == .unavailable)
        #expect(second?.message.contains(directory.path) == true)
        close(first)
        close(try folder.takeLock())
    }

    @Test("the address is there while the server listens")
    func listening() throws {
        let folder = try DataFolder(directory.path, create: false)
        try folder.writeListening("http://127.0.0.1:99")
        let path = directory.appending("listening")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "http://127.0.0.1:99\n")
        folder.removeListening()
        folder.removeListening()
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
