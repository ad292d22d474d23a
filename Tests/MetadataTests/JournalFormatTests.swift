import Metadata
import MetadataConformance
import Model
import Testing

@Suite("The canonical bytes of a commit")
struct JournalFormatTests {
    private let time = Timestamp(nanoseconds: 0x0102_0304_0506_0708)

    private func bytes(_ state: NodeState?) -> String {
        JournalFormat.bytes(of: [(node: NodeID(high: 1, low: 2), state: state)]).hex
    }

    private func state(_ payload: NodePayload) -> NodeState {
        NodeState(
            parent: NodeID(high: 3, low: 4), name: Fixture.name("ab"), payload: payload, mode: 0o644, modified: time)
    }

    private let node = "00000000000000010000000000000002"
    private let common = "00000000000000030000000000000004" + "02" + "6162" + "01a4" + "0102030405060708"

    @Test("of a removal are the node and a zero")
    func removal() {
        #expect(bytes(nil) == node + "00")
    }

    @Test("of a folder are what all nodes have")
    func folder() {
        #expect(bytes(state(.folder)) == node + "01" + common)
    }

    @Test("of a file end with its content")
    func file() {
        let content = Content(id: ContentID(level: 2, digest: Digest(words: (1, 2, 3, 4))), size: 0x1234)
        let digest = "0000000000000001000000000000000200000000000000030000000000000004"
        #expect(bytes(state(.file(content))) == node + "02" + common + "02" + digest + "0000000000001234")
    }

    @Test("of a link end with where it points")
    func symlink() {
        #expect(bytes(state(.symlink(target: [0x78, 0x79]))) == node + "03" + common + "00000002" + "7879")
        #expect(bytes(state(.symlink(target: []))) == node + "03" + common + "00000000")
    }

    @Test("follow one another without anything between")
    func sequence() {
        let one = (node: NodeID(high: 0, low: 1), state: NodeState?.none)
        #expect(JournalFormat.bytes(of: [one, one]).count == 34)
        #expect(JournalFormat.bytes(of: []).isEmpty)
    }

    @Test("the hash of a commit covers 133 bytes in a fixed order")
    func commitHash() {
        var seen: [UInt8] = []
        let previous = Head(
            namespace: NamespaceID(high: 0x11, low: 0x12), revision: Revision(6),
            hash: CommitHash(Digest(words: (0x21, 0x22, 0x23, 0x24))))
        let hash = JournalFormat.commitHash(
            after: previous, revision: Revision(7), device: DeviceID(high: 0x31, low: 0x32),
            upload: UploadID(high: 0x41, low: 0x42), time: time, digest: Digest(words: (0x51, 0x52, 0x53, 0x54)),
            count: 9,
            hash: { bytes in
                seen = bytes
                return Digest(words: (1, 1, 1, 1))
            })
        func words(_ numbers: UInt64...) -> String { numbers.map { [UInt8](bigEndian: $0).hex }.joined() }
        #expect(
            seen.hex == "01" + words(0x11, 0x12, 0x21, 0x22, 0x23, 0x24, 7, 0x31, 0x32, 0x41, 0x42)
                + "0102030405060708" + "00000009" + words(0x51, 0x52, 0x53, 0x54))
        #expect(seen.count == 133)
        #expect(hash == CommitHash(Digest(words: (1, 1, 1, 1))))
    }
}
