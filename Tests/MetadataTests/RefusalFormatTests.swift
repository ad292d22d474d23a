import MetadataConformance
import Model
import Testing

@testable import Metadata

@Suite("Kept refusals")
struct RefusalFormatTests {
    private var all: [Refusal] {
        let states = [
            Fixture.folder("a"), Fixture.file("b", in: Fixture.node(9), content: 77), Fixture.symlink("c", to: "/d"),
            Fixture.symlink("e", to: ""),
        ]
        let reasons: [RefusalReason] =
            states.map {
                .stale(current: NodeRecord(node: Fixture.node(5), revision: Revision(UInt64.max), state: $0))
            } + [
                .stale(current: nil), .nameTaken(by: Fixture.node(3)), .parentMissing, .folderNotEmpty, .cycle,
                .kindChanged,
            ]
        return reasons.enumerated().map { Refusal(node: Fixture.node(UInt64($0)), reason: $1) }
    }

    @Test("come back as they were")
    func roundTrip() throws {
        #expect(try RefusalFormat.decode(RefusalFormat.encode(all)) == all)
        #expect(try RefusalFormat.decode(RefusalFormat.encode([])) == [])
        for refusal in all { #expect(try RefusalFormat.decode(RefusalFormat.encode([refusal])) == [refusal]) }
    }

    @Test("have a fixed form")
    func form() {
        let node = "0000000000000d0d0000000000000001"
        let other = "0000000000000d0d0000000000000002"
        let refusals = [
            Refusal(node: Fixture.node(1), reason: .nameTaken(by: Fixture.node(2))),
            Refusal(node: Fixture.node(2), reason: .cycle),
        ]
        #expect(RefusalFormat.encode(refusals).hex == "01" + "00000002" + node + "02" + other + other + "05")
    }

    @Test("that were cut off anywhere, or have something after them, are reported as damaged")
    func cutOff() {
        let bytes = RefusalFormat.encode(all)
        for length in 0..<bytes.count {
            #expect(throws: MetadataError(.corrupt, "")) { try RefusalFormat.decode(Array(bytes[..<length])) }
        }
        #expect(throws: MetadataError(.corrupt, "")) { try RefusalFormat.decode(bytes + [0]) }
    }

    @Test("of an unknown version, reason or kind of node are reported as damaged")
    func unknown() {
        let node = Fixture.node(1).bytes
        func decode(_ bytes: [UInt8]) throws -> [Refusal] { try RefusalFormat.decode(bytes) }
        #expect(throws: MetadataError(.corrupt, "")) { try decode([2, 0, 0, 0, 0]) }
        #expect(throws: MetadataError(.corrupt, "")) { try decode([1, 0, 0, 0, 1] + node + [7]) }
        let stale = [1, 0, 0, 0, 1] + node + [1] + [UInt8](repeating: 0, count: 8) + node
        // A state that is none, and one of a kind that there is not.
        #expect(throws: MetadataError(.corrupt, "")) { try decode(stale + [0]) }
        let state = node + [1, 0x61] + [UInt8](repeating: 0, count: 10)
        #expect(throws: Never.self) { try decode(stale + [1] + state) }
        #expect(throws: MetadataError(.corrupt, "")) { try decode(stale + [4] + state) }
        // The name of a node may not be a dot.
        let dot = node + [1, 0x2E] + [UInt8](repeating: 0, count: 10)
        #expect(throws: MetadataError(.corrupt, "")) { try decode(stale + [1] + dot) }
    }
}
