import Blocks
import Model
import TestSupport
import Testing
import WireProtocol

@Suite struct WireMessageTests {
    private func readsBack<Message: WireMessage & Equatable>(_ message: Message) throws -> Bool {
        try Message(decoding: message.encoded()) == message
    }

    private func failsWhenCut<Message: WireMessage>(_ message: Message) throws -> Bool {
        let bytes = try message.encoded()
        return bytes.indices.allSatisfy { (try? Message(decoding: Array(bytes[..<$0]))) == nil }
    }

    private func survives<Message: WireMessage>(_ kind: Message, _ bytes: [UInt8]) {
        _ = try? Message(decoding: bytes)  // must return or throw, never trap
    }

    @Test("every message reads back as it was", arguments: 0..<100 as Range<UInt64>)
    func roundTrip(_ seed: UInt64) throws {
        var sample = SampleMessages(seed: seed)
        for message in sample.all() {
            #expect(try readsBack(message), "\(type(of: message)), seed \(seed)")
        }
    }

    @Test("a message cut off at any byte is refused", arguments: 0..<6 as Range<UInt64>)
    func truncated(_ seed: UInt64) throws {
        var sample = SampleMessages(seed: seed)
        for message in sample.all() {
            #expect(try failsWhenCut(message), "\(type(of: message)), seed \(seed)")
        }
    }

    @Test("flipped, cut and random bytes never trap", arguments: 0..<40 as Range<UInt64>)
    func fuzz(_ seed: UInt64) throws {
        var sample = SampleMessages(seed: seed)
        for message in sample.all() {
            var bytes = try message.encoded()
            for _ in 0..<30 where !bytes.isEmpty {
                bytes[sample.number(0...bytes.count - 1)] = UInt8(truncatingIfNeeded: sample.generator.next())
                survives(message, bytes)
            }
            survives(message, sample.generator.bytes(sample.number(0...200)))
        }
    }

    @Test("a content whose block rides inline does not repeat the hash")
    func inlineContent() throws {
        var sample = SampleMessages(seed: 5)
        let block = sample.block()
        let content = Content(id: ContentID(level: 0, digest: block.id.digest), size: UInt64(block.length))
        let change = NodeChange(
            node: sample.id(), base: .zero,
            state: NodeState(
                parent: .root, name: try NodeName("a"), payload: .file(content), mode: 0o644,
                modified: Timestamp(nanoseconds: 1)))
        let with = UploadRequest(upload: sample.id(), changes: [change], blocks: [block])
        var without = with
        without.blocks = []
        let blockBytes = try BlockBatch(blocks: [block]).encoded().count - 1
        // The hash and the size of the content make way for the index of the block.
        #expect(try with.encoded().count < without.encoded().count + blockBytes - 31)
        #expect(try UploadRequest(decoding: with.encoded()) == with)
    }

    @Test("names that can't be are refused with the field", arguments: ["", ".", "..", "a/b", "a\0b"])
    func badName(_ name: String) throws {
        var writer = WireWriter()
        writer.identifier(UploadID(high: 1, low: 1))
        writer.raw([1, 0, 0, 0, 1])  // complete; no blocks, pages, items; one change
        writer.record { writer in
            writer.identifier(NodeID(high: 2, low: 2))
            writer.number(0)
            writer.byte(0)
            writer.identifier(NodeID.root)
            writer.sized(Array(name.utf8))
            writer.number(0o755)
            writer.signed(0)
        }
        let error = #expect(throws: WireError.self) { try UploadRequest(decoding: writer.bytes) }
        #expect(error?.message.contains("node.name") == true)
    }

    @Test("a mode above the permission bits is refused")
    func badMode() throws {
        var sample = SampleMessages(seed: 1)
        var state = sample.state()
        state.mode = 0o10000
        let request = UploadRequest(
            upload: sample.id(), changes: [NodeChange(node: sample.id(), base: .zero, state: state)])
        #expect(throws: WireError.self) { try UploadRequest(decoding: request.encoded()) }
    }

    @Test("an index of an inline block that does not ride along is refused")
    func badIndex() throws {
        var writer = WireWriter()
        writer.identifier(UploadID(high: 1, low: 1))
        writer.raw([1, 0, 0, 0, 1])
        writer.record { writer in
            writer.identifier(NodeID(high: 2, low: 2))
            writer.raw([0, 3, 0])
        }
        let error = #expect(throws: WireError.self) { try UploadRequest(decoding: writer.bytes) }
        #expect(error?.message.contains("node.block") == true)
    }

    @Test("a thousand renamed nodes in one folder take less than 90 bytes each before compression")
    func compact() throws {
        var sample = SampleMessages(seed: 8)
        let changes = try (0..<1_000).map { index in
            NodeChange(
                node: sample.id(), base: Revision(1),
                state: NodeState(
                    parent: .root, name: try NodeName("file-\(index)"), payload: .folder, mode: 0o755,
                    modified: Timestamp(nanoseconds: 0)))
        }
        #expect(try UploadRequest(upload: sample.id(), changes: changes).encoded().count < 90_000)
    }

    @Test("every code of a problem has its own stable string")
    func codes() {
        let strings = ProblemCode.allCases.map(\.rawValue)
        #expect(Set(strings).count == strings.count)
        #expect(strings.allSatisfy { $0.allSatisfy { $0.isLowercase || $0 == "_" } })
    }
}
