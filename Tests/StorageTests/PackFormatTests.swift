import Model
import TestSupport
import Testing

@testable import Storage

/// The bytes of a pack: another version of the program has to read them.
@Suite struct PackFormatTests {
    private let pack = PackID(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10)

    @Test("the header of a pack has not changed")
    func packHeader() {
        let header = PackFormat.packHeader(pack)
        #expect(header.hex == "434149524e50434b01000000e16fd1f20102030405060708090a0b0c0d0e0f10")
        #expect(header.count == PackFormat.packHeaderLength)
    }

    @Test("the bytes of a group have not changed")
    func group() {
        let plan = GroupPlan([FramedRecord([1, 2, 3]), FramedRecord([])], pack: pack, at: 100)
        let first = "43424b3103000000640000007c57cc203b73ae32769bceeb" + "010203"
        let second = "43424b310000000064000000e714e16ec294d3380580062d"
        #expect(plan.bytes.hex == first + second)
        #expect(plan.locations.map(\.offset) == [124, 151])
        #expect(plan.locations.map(\.length) == [3, 0])
    }

    @Test("a header is read back at its place only")
    func place() {
        let header = RecordHeader(kind: .record, length: 9, durable: 32, checksum: 77)
        let bytes = header.encoded(pack: pack, offset: 1000)
        func decoded(_ bytes: [UInt8], _ pack: PackID, _ offset: UInt64) -> RecordHeader? {
            bytes.withUnsafeBytes { RecordHeader(decoding: $0, pack: pack, offset: offset) }
        }
        #expect(decoded(bytes, pack, 1000) == header)
        #expect(decoded(bytes, pack, 1001) == nil)
        #expect(decoded(bytes, PackID(high: 1, low: 2), 1000) == nil)
        #expect(decoded(Array(bytes.dropLast()), pack, 1000) == nil)
    }

    @Test("no flipped bit of a header goes unnoticed")
    func flippedBits() {
        let bytes = RecordHeader(kind: .record, length: 9, durable: 32, checksum: 77).encoded(pack: pack, offset: 64)
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            #expect(damaged.withUnsafeBytes { RecordHeader(decoding: $0, pack: pack, offset: 64) } == nil, "bit \(bit)")
        }
    }

    @Test("a record longer than allowed is not believed, even with a right checksum")
    func tooLong() {
        let length = UInt32(PackFormat.maximumRecordLength) + 1
        let record = RecordHeader(kind: .record, length: length, durable: 0, checksum: 0)
        let filler = RecordHeader(kind: .filler, length: length, durable: 0, checksum: 0)
        func isRead(_ header: RecordHeader) -> Bool {
            header.encoded(pack: pack, offset: 32).withUnsafeBytes {
                RecordHeader(decoding: $0, pack: pack, offset: 32) != nil
            }
        }
        #expect(!isRead(record))
        #expect(isRead(filler))
    }

    @Test("a location can only lie behind the headers")
    func frames() {
        func frame(_ offset: UInt64, _ length: UInt32) -> Range<UInt64>? {
            PackFormat.frame(of: PackLocation(pack: pack, offset: offset, length: length))
        }
        #expect(frame(56, 10) == 32..<66)
        #expect(frame(55, 10) == nil)
        #expect(frame(56, .max) == nil)
        #expect(frame(.max, 1) == nil)
    }
}
