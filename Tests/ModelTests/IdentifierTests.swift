import Model
import TestSupport
import Testing

@Suite struct IdentifierTests {
    @Test("an identifier reads back from its bytes and from its digits")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<1_000 {
            let id = NodeID(using: &generator)
            #expect(NodeID(bytes: id.bytes) == id)
            #expect(NodeID(hex: id.hex) == id)
            #expect(NodeID(hex: id.hex.uppercased()) == id)
            #expect(id.bytes.count == 16)
        }
    }

    @Test("bytes and digits of another length are refused", arguments: [0, 1, 15, 17, 32])
    func wrongLength(_ count: Int) {
        #expect(NodeID(bytes: [UInt8](repeating: 7, count: count)) == nil)
        #expect(NodeID(hex: String(repeating: "07", count: count)) == nil)
    }

    @Test("what is not a hexadecimal digit is refused", arguments: ["g", "-", " ", "/", ":", "@", "`", "é"])
    func wrongDigit(_ digit: String) {
        #expect([UInt8](hex: "0" + digit) == nil)
        #expect([UInt8](hex: digit + "0") == nil)
        #expect(NodeID(hex: String(repeating: "0", count: 31) + digit) == nil)
    }

    @Test("identifiers order by their bytes")
    func order() {
        let ids = [
            NodeID(high: 0, low: 1), NodeID(high: 0, low: .max), NodeID(high: 1, low: 0), NodeID(high: .max, low: 0),
        ]
        #expect(ids.shuffled().sorted() == ids)
        #expect(ids.map(\.bytes).sorted { $0.lexicographicallyPrecedes($1) } == ids.map(\.bytes))
    }

    @Test("two draws of one generator differ, and the same seed draws the same")
    func draws() {
        var first = SeededGenerator(seed: 3)
        var second = SeededGenerator(seed: 3)
        let one = NodeID(using: &first)
        #expect(one == NodeID(using: &second))
        #expect(one != NodeID(using: &first))
    }

    @Test("the root is sixteen zero bytes")
    func root() {
        #expect(NodeID.root.bytes == [UInt8](repeating: 0, count: 16))
    }
}
