import Model
import Testing

@testable import Storage

/// The list of repairs as a value and as bytes.
@Suite struct RepairListTests {
    private func entry(_ region: String, _ low: UInt64, _ task: RepairList.Task) -> RepairList.Entry {
        RepairList.Entry(region: region, pack: PackID(high: 0, low: low), task: task)
    }

    private func expect(_ condition: Bool, at location: SourceLocation = #_sourceLocation) {
        #expect(condition, sourceLocation: location)
    }

    @Test("a list is read back, whatever is in it")
    func roundTrip() {
        var list = RepairList()
        #expect(RepairList(decoding: list.encoded) == list)
        for low in 0..<50 { _ = list.insert(entry("region-\(low % 3)", UInt64(low), low % 2 == 0 ? .copy : .delete)) }
        _ = list.insert(entry("/srv/größer", 7, .copy))
        #expect(RepairList(decoding: list.encoded) == list)
        #expect(list.entries.count == 51)
    }

    @Test("the same list has the same bytes, however it came about")
    func deterministic() {
        var forward = RepairList()
        var backward = RepairList()
        for low in 0..<20 { _ = forward.insert(entry("a", UInt64(low), .copy)) }
        for low in (0..<20).reversed() { _ = backward.insert(entry("a", UInt64(low), .copy)) }
        #expect(forward.encoded == backward.encoded)
    }

    @Test("no damaged list is believed")
    func damaged() {
        var list = RepairList()
        _ = list.insert(entry("a", 1, .copy))
        let bytes = list.encoded
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] ^= 0x10
            #expect(RepairList(decoding: damaged) == nil)
            #expect(RepairList(decoding: Array(bytes.prefix(place))) == nil)
        }
        #expect(RepairList(decoding: bytes + [0]) == nil)
    }

    @Test("a removal takes the place of a copy and is not taken back by one")
    func removalWins() {
        var list = RepairList()
        expect(list.insert(entry("a", 1, .copy)))
        expect(list.insert(entry("a", 1, .delete)))
        expect(!list.insert(entry("a", 1, .copy)))
        #expect(list.entries == [entry("a", 1, .delete)])
        #expect(list.regions(lacking: PackID(high: 0, low: 1)) == ["a"])
        expect(list.remove(entry("a", 1, .delete)))
        expect(!list.remove(entry("a", 1, .delete)))
    }
}
