import Model
import TestSupport
import Testing

@testable import Notifications

@Suite("The tables of the hub")
struct TableTests {
    private struct Entry: KeyedSlot {
        let key: DeviceID
        let value: Int
        var link: UInt32 = .nowhere
        var isFree = false

        mutating func clear() { isFree = true }
    }

    @Test("places are taken again before new ones, and no more than there are")
    func places() {
        var table = SlotTable<Entry>(capacity: 3)
        let places = (0..<3).map { table.take(Entry(key: Polling.device(0), value: $0)) }
        #expect(places == [0, 1, 2])
        let beyond = table.take(Entry(key: Polling.device(0), value: 9))
        #expect(beyond == nil)
        table.giveBack(1)
        let free = table[1]
        #expect(free.isFree)
        let again = table.take(Entry(key: Polling.device(0), value: 7))
        #expect(again == 1)
        let (value, count) = (table[1].value, table.count)
        #expect(value == 7)
        #expect(count == 3)
    }

    @Test("a table that becomes empty begins anew, whatever the order in which its places came back")
    func emptied() {
        var table = SlotTable<Entry>(capacity: 10_000)
        for round in 0..<3 {
            for number in 0..<10_000 { _ = table.take(Entry(key: Polling.device(0), value: number)) }
            let full = table.reach
            for place in 0..<UInt32(10_000) { table.giveBack((place &* 7919) % 10_000) }
            let (reach, bytes) = (table.reach, table.bytes)
            #expect(full == 10_000)
            #expect(reach == 0, "round \(round)")
            #expect(bytes == 0)
        }
    }

    @Test("what was put in is found, and what was taken out is not, at any size")
    func keys() {
        var table = KeyedTable<Entry>(capacity: 20_000)
        let empty = table.bytes
        var places: [UInt64: UInt32] = [:]
        var random = SeededGenerator(seed: 5)
        for target in [3, 20_000, 5_000, 12_000, 17, 9_000, 0] {
            while places.count < target {
                let key = UInt64.random(in: 0..<1_000_000, using: &random)
                guard places[key] == nil else { continue }
                let before = table.find(Polling.device(key))
                #expect(before == .nowhere)
                places[key] = table.insert(Entry(key: Polling.device(key), value: Int(key)))
            }
            for key in places.keys.sorted().dropFirst(target) { table.remove(places.removeValue(forKey: key)!) }
            let count = table.count
            #expect(count == target)
            var faults = 0
            for (key, place) in places {
                let isRight = table.find(Polling.device(key)) == place && table[place].value == Int(key)
                if !isRight { faults += 1 }
            }
            #expect(faults == 0)
        }
        let bytes = table.bytes
        #expect(bytes == empty)
    }

    @Test("a full table takes nothing more and loses nothing")
    func full() {
        var table = KeyedTable<Entry>(capacity: 2)
        for number in 0..<2 as Range<UInt64> {
            let place = table.insert(Entry(key: Polling.device(number), value: 0))
            #expect(place != nil)
        }
        let beyond = table.insert(Entry(key: Polling.device(2), value: 0))
        let (missing, last) = (table.find(Polling.device(2)), table.find(Polling.device(1)))
        #expect(beyond == nil)
        #expect(missing == .nowhere)
        #expect(last == 1)
    }
}
