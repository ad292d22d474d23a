import Model
import TestSupport
import Testing

@Suite struct NodeNameTests {
    @Test(
        "names keep their bytes, whatever they are",
        arguments: [
            "a", "...", ".hidden", "..x", "with space", "tab\there", "line\nbreak", "ä", "e\u{301}", "日本語", "-rf",
            "a:b", "CON",
        ])
    func kept(_ string: String) throws {
        #expect(try NodeName(string).bytes == Array(string.utf8))
        #expect(try NodeName(string).description == string)
    }

    @Test("bytes that are no UTF-8 are a name too")
    func invalidUTF8() throws {
        let name = try NodeName(bytes: [0xFF, 0xFE, 0x41])
        #expect(name.bytes == [0xFF, 0xFE, 0x41])
        #expect(name.description.hasSuffix("A"))
    }

    @Test("255 bytes are a name, 256 are not, and the error says how many there are")
    func length() throws {
        #expect(try NodeName(bytes: [UInt8](repeating: 0x61, count: 255)).bytes.count == 255)
        let error = #expect(throws: NodeNameError.self) { try NodeName(String(repeating: "x", count: 300)) }
        #expect(error?.description.contains("300 bytes") == true)
    }

    @Test("what the kernel does not take for a name is refused and named")
    func refused() {
        #expect(throws: NodeNameError.empty) { try NodeName("") }
        #expect(throws: NodeNameError.dots([0x2E])) { try NodeName(".") }
        #expect(throws: NodeNameError.dots([0x2E, 0x2E])) { try NodeName("..") }
        #expect(throws: NodeNameError.separator(Array("a/b".utf8))) { try NodeName("a/b") }
        #expect(throws: NodeNameError.nul([0x61, 0])) { try NodeName(bytes: [0x61, 0]) }
    }

    @Test(
        "every error says what is wrong",
        arguments: [
            (NodeNameError.empty, "empty"), (.dots([0x2E, 0x2E]), "'..'"), (.separator([0x2F]), "'/'"),
            (.nul([0x61, 0]), "NUL"),
        ])
    func messages(_ error: NodeNameError, _ part: String) {
        #expect(error.description.contains(part))
    }

    @Test("names of the same letters in other bytes are other names")
    func noNormalisation() throws {
        #expect(try NodeName("é") != NodeName("e\u{301}"))
        #expect(try NodeName("A") != NodeName("a"))
    }

    @Test("names order by bytes")
    func order() throws {
        let names = try ["A", "B", "a", "ab", "b", "é"].map { try NodeName($0) }
        #expect(names.reversed().sorted() == names)
    }
}

@Suite struct RemotePathTests {
    @Test("slashes at either end do not matter", arguments: ["/a/b", "a/b", "a/b/", "/a/b/"])
    func slashes(_ string: String) throws {
        let path = try RemotePath(string)
        #expect(path.names == [try NodeName("a"), try NodeName("b")])
        #expect(path.description == "/a/b")
    }

    @Test("nothing and a slash are the root", arguments: ["", "/"])
    func root(_ string: String) throws {
        #expect(try RemotePath(string) == .root)
        #expect(RemotePath.root.parent == nil)
        #expect(RemotePath.root.name == nil)
        #expect(RemotePath.root.description == "/")
    }

    @Test("paths that climb or have a hole are refused", arguments: ["..", "a/../b", "/./a", "a//b", "//", "a/\0"])
    func refused(_ string: String) {
        #expect(throws: NodeNameError.self) { try RemotePath(string) }
    }

    @Test("a path knows its parent and its last name, and appending undoes that")
    func parts() throws {
        let path = try RemotePath("/a/b/c")
        #expect(try path.parent == RemotePath("/a/b"))
        #expect(try path.name == NodeName("c"))
        #expect(try RemotePath("/a/b").appending(NodeName("c")) == path)
    }

    @Test("any names read back from the bytes of their path")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<300 {
            let names = (0..<Int.random(in: 0...5, using: &generator)).compactMap { _ in
                try? NodeName(bytes: generator.bytes(Int.random(in: 1...40, using: &generator)))
            }
            let path = RemotePath(names)
            #expect(try RemotePath(bytes: path.bytes) == path)
        }
    }
}
