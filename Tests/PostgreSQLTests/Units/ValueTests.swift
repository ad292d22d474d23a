import Metadata
import Testing

@testable import MetadataPostgreSQL

@Suite("Values in PostgreSQL's binary form")
struct ValueTests {
    private func decoded(_ bytes: [UInt8], _ type: Oid) -> SQLValue? {
        bytes.withUnsafeBytes { Answer.decoded($0, type) }
    }

    private typealias Oid = UInt32

    @Test("of whole numbers are read whatever their width")
    func numbers() {
        #expect(decoded([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE], 20) == .integer(-2))
        #expect(decoded([0, 0, 1, 0], 23) == .integer(256))
        #expect(decoded([0xFF, 0xFF], 21) == .integer(-1))
        #expect(decoded([0xFF, 0xFF, 0xFF, 0xFF], 26) == .integer(4_294_967_295))
        #expect(decoded([1], 16) == .integer(1) && decoded([0], 16) == .integer(0))
    }

    @Test("of text and bytes are read as they are, also when there are none")
    func sequences() {
        #expect(decoded([0xC3, 0xBC], 25) == .text("ü") && decoded([], 1043) == .text(""))
        #expect(decoded([0, 255], 17) == .blob([0, 255]) && decoded([], 17) == .blob([]))
        #expect(decoded([], 2278) == .null)
    }

    @Test("of unknown types, or of a length that the type does not have, are not guessed")
    func unknown() {
        #expect(decoded([0, 0, 0, 0, 0, 0, 0, 0], 1700) == nil)
        #expect(decoded([0, 0, 0, 0], 20) == nil && decoded([], 16) == nil)
    }

    @Test("tell their types, and nothing is of any")
    func types() {
        let row = Parameters([.integer(1), .null, .text("a"), .blob([])])
        #expect(row.types == [TypeNumber.integer, TypeNumber.unknown, TypeNumber.text, TypeNumber.bytes])
    }

    @Test("are handed over with their lengths, and nothing without an address")
    func pointers() {
        Parameters([.integer(258), .null, .blob([]), .text("ab")]).withPointers { count, values, lengths, forms in
            #expect(count == 4)
            #expect((0..<4).map { lengths[$0] } == [8, 0, 0, 2])
            #expect((0..<4).map { values[$0] == nil } == [false, true, false, false])
            #expect((0..<4).allSatisfy { forms[$0] == 1 })
            #expect((0..<8).map { values[0]?[$0] } == [0, 0, 0, 0, 0, 0, 1, 2])
        }
    }

    @Test("of many executions go together, with the types that any of them has")
    func batches() {
        let batches = ParameterBatch.batches(of: [
            [.null, .integer(1)], [.blob([1]), .null], [.blob([2]), .integer(2)],
        ])
        #expect(batches.map(\.rows.count) == [3])
        #expect(batches.first?.types == [TypeNumber.bytes, TypeNumber.integer])
    }

    @Test("of other types, and those beyond the bounds, go in another batch")
    func batchBounds() {
        #expect(ParameterBatch.batches(of: [[.integer(1)], [.text("a")], [.text("b")]]).map(\.rows.count) == [1, 2])
        #expect(ParameterBatch.batches(of: [[.integer(1)], [.integer(1), .null]]).map(\.rows.count) == [1, 1])
        let many = [[SQLValue]](repeating: [.integer(1)], count: ParameterBatch.mostRows + 1)
        #expect(ParameterBatch.batches(of: many).map(\.rows.count) == [ParameterBatch.mostRows, 1])
        let large = [[SQLValue]](
            repeating: [.blob([UInt8](repeating: 1, count: ParameterBatch.mostBytes / 2))], count: 3)
        #expect(ParameterBatch.batches(of: large).map(\.rows.count) == [1, 1, 1])
        #expect(ParameterBatch.batches(of: []).isEmpty)
    }
}
