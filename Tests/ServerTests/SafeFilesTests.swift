import Blocks
import Foundation
import Model
import TestSupport
import Testing

@testable import cairn_server

@Suite("Files that are whole or not there")
struct SafeFilesTests {
    private let directory = TemporaryDirectory()

    private func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = directory.appending(name)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func read(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
    }

    @Test("a copy has the bytes and tells their hash", arguments: [0, 1, 4 << 20, 9_000_000])
    func copy(size: Int) throws {
        var generator = SeededGenerator(seed: UInt64(size))
        let bytes = generator.bytes(size)
        let source = try write("source", bytes)
        let copied = try SafeFiles.copy(source, to: directory.appending("copy"))
        #expect(copied == HashedFile(size: UInt64(size), digest: SHA256Hasher.digest(of: bytes)))
        #expect(try read(directory.appending("copy")) == bytes)
        #expect(try SafeFiles.hash(of: source) == copied)
        #expect(try names() == ["copy", "source"])
    }

    @Test("the first part of a file is copied and hashed by itself")
    func part() throws {
        let source = try write("source", Array(0...99))
        let copied = try SafeFiles.copy(source, to: directory.appending("copy"), size: 40)
        #expect(copied == HashedFile(size: 40, digest: SHA256Hasher.digest(of: Array(0...39))))
        #expect(try SafeFiles.hash(of: source, size: 40) == copied)
        #expect(try read(directory.appending("copy")) == Array(0...39))
        #expect(try SafeFiles.copy(source, to: directory.appending("copy"), size: 400).size == 100)
    }

    @Test("a draft that is given up leaves what was there before")
    func givenUp() throws {
        let path = try write("file", [1, 2])
        do {
            let draft = try FileDraft(path)
            try draft.append([3, 4, 5])
        }
        #expect(try read(path) == [1, 2])
        #expect(try names() == ["file"])
        let draft = try FileDraft(path)
        try draft.append([6])
        try draft.append([7, 8])
        #expect(try draft.finish() == HashedFile(size: 3, digest: SHA256Hasher.digest(of: [6, 7, 8])))
        #expect(try read(path) == [6, 7, 8])
        #expect(try names() == ["file"])
    }

    @Test("they are for their owner alone")
    func modes() throws {
        let path = directory.appending("a/b")
        try SafeFiles.makeFolder(path)
        try SafeFiles.makeFolder(path)
        try SafeFiles.write([1], to: path + "/file")
        for (place, mode) in [(path, 0o700), (path + "/file", 0o600)] {
            let found = try FileManager.default.attributesOfItem(atPath: place)[.posixPermissions] as? Int
            #expect(found == mode)
        }
    }

    @Test("what can't be done is told with its path")
    func failures() throws {
        let none = directory.appending("none/file")
        for body in [
            { _ = try SafeFiles.hash(of: none) }, { try SafeFiles.write([1], to: none) }, { try SafeFiles.sync(none) },
            { try SafeFiles.rename(none, directory.appending("x")) }, { try SafeFiles.syncFolder(around: none) },
        ] as [() throws -> Void] {
            let failure = try #require(throws: Failure.self) { try body() }
            #expect(failure.message.contains(directory.path))
        }
        let file = try write("file", [1])
        #expect(throws: Failure.self) { try SafeFiles.makeFolder(file + "/below") }
    }

    @Test("a manifest comes back as it was, its packs in order")
    func manifest() throws {
        let file = HashedFile(size: 9, digest: SHA256Hasher.digest(of: [1]))
        let (one, two) = (PackID(high: 1, low: 0), PackID(high: 2, low: 0))
        let manifest = BackupManifest(
            made: "2026-01-02T03:04:05.000Z", database: file, packs: [two: file, one: file], lost: [two, one],
            damaged: [],
            keyring: nil)
        #expect(manifest.packs.map(\.id) == [one.hex, two.hex] && manifest.lost == [one.hex, two.hex])
        let path = try write("manifest", try manifest.encoded())
        #expect(try BackupManifest(reading: path) == manifest)
        #expect(try manifest.files() == [one: file, two: file])
        #expect(try BackupManifest(reading: directory.appending("none")) == nil)
    }

    @Test("a manifest that names what is no pack is refused, so that no path leads out of the backup")
    func foreignName() throws {
        let file = HashedFile(size: 9, digest: SHA256Hasher.digest(of: [1]))
        let manifest = BackupManifest(
            made: "", database: file, packs: [PackID(high: 1, low: 0): file], lost: [], damaged: [], keyring: nil)
        let text = String(decoding: try manifest.encoded(), as: UTF8.self)
        for name in ["../../etc/passwd", "", String(repeating: "0", count: 31), String(repeating: "g", count: 32)] {
            let path = try write("manifest", Array(text.replacing(PackID(high: 1, low: 0).hex, with: name).utf8))
            let read = try #require(try BackupManifest(reading: path))
            #expect(throws: Failure.self) { try read.files() }
        }
    }

    @Test("only files that are packs count as packs of a backup")
    func packs() throws {
        let backup = BackupFolder(path: directory.appending("backup"))
        #expect(try backup.packs().isEmpty)
        close(try backup.begin())
        let pack = PackID(high: 0xAB << 56, low: 1)
        try SafeFiles.makeFolder(backup.folder(of: pack))
        #expect(backup.folder(of: pack).hasSuffix("/packs/packs/ab"))
        for ending in [".pack", ".pack.new", ".open"] {
            try SafeFiles.write([1], to: "\(backup.folder(of: pack))/\(pack.hex)\(ending)")
        }
        try SafeFiles.write([1], to: backup.folder(of: pack) + "/note.pack")
        #expect(try backup.packs() == [pack] && backup.drafts() == [pack])
    }
}
