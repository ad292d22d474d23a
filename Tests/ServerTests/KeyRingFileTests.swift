import Blocks
import Files
import Foundation
import Metadata
import MetadataSQLite
import Model
import TestSupport
import Testing

@testable import cairn_server

@Suite("The file of the master keys")
struct KeyRingFileTests {
    private let directory = TemporaryDirectory()
    private let database: any MetadataDatabase

    init() throws { database = try SQLiteMetadataDatabase(path: directory.appending("cairn.db")) }

    private var path: String { directory.appending("keyring") }

    private func mode() throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test("a first ring is made for its owner alone, and read from then on")
    func first() async throws {
        let (file, isNew) = try await KeyRingFile.open(path, database: database)
        #expect(isNew)
        #expect(try mode() == 0o600)
        let (again, isNewAgain) = try await KeyRingFile.open(path, database: database)
        #expect(!isNewAgain)
        #expect(try again.keyRing().text == file.keyRing().text)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasPrefix("keyring.") }
                == [])
    }

    @Test("without the ring of its accounts a server does not start, and makes no other")
    func missing() async throws {
        let (file, _) = try await KeyRingFile.open(path, database: database)
        let create = CreateAccount(
            database: database, keyRing: file, clock: ManualClock(), randomness: Randomness(SeededGenerator(seed: 1)),
            costs: ScryptPassword(logCost: 4))
        _ = try await create(name: "ada", password: "correct horse")
        try FileManager.default.removeItem(atPath: path)
        let failure = await #expect(throws: Failure.self) { try await KeyRingFile.open(path, database: database) }
        #expect(failure?.code == .configuration)
        #expect(failure?.message.contains("copy") == true)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("a damaged ring is told as such, without its keys")
    func damaged() async throws {
        let (file, _) = try await KeyRingFile.open(path, database: database)
        let text = try file.keyRing().text
        let digit = text[text.firstRange(of: "key 1 ")!.upperBound]
        try text.replacing("key 1 \(digit)", with: "key 1 \(digit == "0" ? "1" : "0")")
            .write(toFile: path, atomically: true, encoding: .utf8)
        let failure = await #expect(throws: Failure.self) { try await KeyRingFile.open(path, database: database) }
        #expect(failure?.code == .configuration)
        #expect(failure?.message.hasPrefix("\(path) is damaged") == true)
        #expect(failure?.message.contains(text.split(separator: " ").last.map(String.init) ?? "") == false)
    }

    @Test("a rotation replaces the ring in one step, for its owner alone")
    func replaced() async throws {
        let (file, _) = try await KeyRingFile.open(path, database: database)
        let ring = try file.keyRing().rotated()
        try file.replace(with: ring)
        #expect(try file.keyRing().versions == [1, 2])
        #expect(try file.keyRing().text == ring.text)
        #expect(try mode() == 0o600)
    }
}
