import CLinux
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@testable import SyncClient

@Suite("Open files and folders")
struct OpenFileTests {
    let directory = TemporaryDirectory()
    let top: OpenFile

    init() throws {
        top = try OpenFile.folder(absolute: LocalPath(bytes: Array(directory.path.utf8)))
    }

    func name(_ text: String) -> [UInt8] { Array(text.utf8) }

    func path(_ text: String) -> LocalPath { LocalPath(bytes: Array(text.utf8)) }

    @discardableResult
    func write(_ text: String, _ bytes: [UInt8], in folder: OpenFile? = nil) throws -> OpenFile {
        let file = try (folder ?? top).open(name(text), O_RDWR | O_CREAT | O_TRUNC, permissions: 0o644)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        return file
    }

    func read(_ text: String) throws -> [UInt8] {
        let file = try top.open(name(text), O_RDONLY)
        var bytes = [UInt8](repeating: 0, count: Int(try file.status().size))
        _ = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        return bytes
    }

    @Test("a folder lists its names in the order of their bytes, however many there are")
    func lists() throws {
        var generator = SeededGenerator(seed: 3)
        var expected: Set<[UInt8]> = []
        for number in 0..<2500 {
            var name = Array("\(number)-".utf8)
            name += generator.bytes(Int.random(in: 0...200, using: &generator)).map { $0 == 0 || $0 == 0x2F ? 1 : $0 }
            _ = try top.open(name, O_WRONLY | O_CREAT, permissions: 0o600)
            expected.insert(name)
        }
        let listing = try FolderListing(top)
        let names = (0..<listing.count).map { listing[$0] }
        #expect(Set(names) == expected)
        #expect(names == names.sorted { $0.lexicographicallyPrecedes($1) })
        // Listed again from the same handle, it says the same.
        #expect(try FolderListing(top).count == listing.count)
        for index in stride(from: 0, to: listing.count, by: 97) {
            listing.withCName(index) { pointer in
                #expect(strlen(pointer) == listing[index].count)
                #expect(memcmp(pointer, listing[index], listing[index].count) == 0)
            }
        }
        // Names that are no UTF-8 are beyond the general removal.
        for name in names { try top.removeFile(name) }
    }

    @Test("an empty folder has no names, not even those of itself and the one above")
    func listsNothing() throws {
        #expect(try FolderListing(top).count == 0)
        try top.makeFolder(name("..."), permissions: 0o700)
        #expect(try FolderListing(top)[0] == name("..."))
    }

    @Test("what is no folder, or can't be listed, is an error and not an empty folder")
    func listsNoFile() throws {
        let file = try write("a", [1])
        let error = #expect(throws: ClientError.self) { try FolderListing(file) }
        #expect(error?.code == .notFolder)
        #expect(throws: ClientError.self) { try top.folder(at: path("a")) }
    }

    @Test("no way down goes over a symbolic link or up")
    func beneath() throws {
        try top.makeFolder(name("real"), permissions: 0o755)
        let real = try top.folder(at: path("real"))
        try real.makeFolder(name("inner"), permissions: 0o755)
        try top.makeSymlink(name("link"), target: name("real"))
        try top.makeSymlink(name("out"), target: name("/"))
        #expect(try top.folder(at: path("real/inner")).path.description.hasSuffix("/real/inner"))
        for way in ["link", "link/inner", "out", "out/etc", "..", "real/inner/../../.."] {
            #expect(throws: ClientError.self, "\(way)") { try top.folder(at: path(way)) }
        }
        #expect(try top.folder(at: .root).status().inode == top.status().inode)
        #expect(throws: ClientError.self) { try top.open(name("link"), O_RDONLY) }
        #expect(throws: ClientError.self) {
            try OpenFile.folder(absolute: LocalPath(bytes: Array((directory.path + "/link").utf8)))
        }
    }

    @Test("a status is that of the entry, not of what a link points to")
    func statuses() throws {
        try write("a", [1, 2, 3])
        try top.makeSymlink(name("l"), target: name("a"))
        #expect(try top.status(of: name("a"))?.size == 3)
        #expect(try top.status(of: name("a"))?.kind == .file)
        #expect(try top.status(of: name("l"))?.kind == .symlink)
        #expect(try top.status(of: name("none")) == nil)
        #expect(try top.status().kind == .folder)
        #expect(try top.target(of: name("l")) == name("a"))
        #expect(throws: ClientError.self) { try top.target(of: name("a")) }
    }

    @Test("a link's target is kept whole and by its bytes", arguments: [1, 255, 4000])
    func targets(length: Int) throws {
        var generator = SeededGenerator(seed: UInt64(length))
        let target = generator.bytes(length).map { $0 == 0 ? 0xFF : $0 }
        try top.makeSymlink(name("l"), target: target)
        #expect(try top.target(of: name("l")) == target)
    }

    @Test("a rename never replaces, a swap needs both, and both name the two when they fail")
    func renames() throws {
        try write("a", [1])
        try write("b", [2])
        let taken = #expect(throws: ClientError.self) { try top.rename(name("a"), to: top, name("b")) }
        #expect(taken?.code == .alreadyExists)
        #expect(taken?.message.contains("/a' to '") == true && taken?.message.contains("/b'") == true)
        try top.exchange(name("a"), with: top, name("b"))
        #expect(try read("a") == [2])
        #expect(try read("b") == [1])
        #expect(throws: ClientError.self) { try top.exchange(name("a"), with: top, name("c")) }
        try top.rename(name("a"), to: top, name("c"))
        #expect(try top.status(of: name("a")) == nil)
        #expect(try read("c") == [2])
    }

    @Test("files and folders are removed each by its own call")
    func removes() throws {
        try write("a", [1])
        try top.makeFolder(name("f"), permissions: 0o755)
        #expect(throws: ClientError.self) { try top.removeFolder(name("a")) }
        #expect(throws: ClientError.self) { try top.removeFile(name("f")) }
        try write("inner", [1], in: top.folder(at: path("f")))
        let full = #expect(throws: ClientError.self) { try top.removeFolder(name("f")) }
        #expect(full?.code == .folderNotEmpty)
        try top.folder(at: path("f")).removeFile(name("inner"))
        try top.removeFolder(name("f"))
        try top.removeFile(name("a"))
        #expect(try FolderListing(top).count == 0)
    }

    @Test(
        "times are set to the nanosecond, before 1970 too",
        arguments: [0, 1, -1, -1_000_000_001, 1_700_000_000_123_456_789])
    func times(nanoseconds: Int64) throws {
        let file = try write("a", [1])
        try top.makeSymlink(name("l"), target: name("a"))
        try file.setModified(nanoseconds)
        try top.setModified(nanoseconds, of: name("l"))
        #expect(try file.status().modified == nanoseconds)
        #expect(try top.status(of: name("l"))?.modified == nanoseconds)
    }

    @Test("a copy has the same bytes, whatever its length")
    func copies() throws {
        var generator = SeededGenerator(seed: 5)
        for length in [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 7] {
            let bytes = generator.bytes(length)
            let original = try write("a", bytes)
            try write("b", []).copyBytes(of: original)
            #expect(try read("b") == bytes)
        }
    }
}
