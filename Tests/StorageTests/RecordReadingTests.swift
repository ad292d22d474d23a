import Model
import Testing

@testable import Storage

/// Reading from one region after the other, as a value.
@Suite struct RecordReadingTests {
    private let pack = PackID(high: 1, low: 2)
    private let plan: GroupPlan

    init() {
        plan = GroupPlan([[1, 2, 3], [4], [5, 6]].map { FramedRecord($0) }, pack: PackID(high: 1, low: 2), at: 0)
    }

    private func reading() -> RecordReading { RecordReading(pack: pack, locations: plan.locations) }

    /// What a region answers that has these bytes.
    private func answers(_ reading: RecordReading, from bytes: [UInt8]) -> [[UInt8]] {
        reading.missingRanges.map { range in
            let there = range.clamped(to: 0..<UInt64(bytes.count))
            return Array(bytes[Int(there.lowerBound)..<Int(there.upperBound)])
        }
    }

    @Test("a whole region answers everything, and nobody else is asked")
    func whole() {
        var reading = reading()
        #expect(reading.missingRanges.count == 6)
        reading.take(answers(reading, from: plan.bytes), from: 0)
        #expect(reading.missingRanges.isEmpty)
        #expect(reading.payloads == [[1, 2, 3], [4], [5, 6]])
        #expect(reading.damage.isEmpty)
        #expect(reading.error(["a"]) == nil)
    }

    @Test("only what is missing is asked of the next region, and the frame for the repair is whole")
    func second() throws {
        var reading = reading()
        var damaged = plan.bytes
        damaged[Int(plan.locations[1].offset)] ^= 1
        reading.take(answers(reading, from: damaged), from: 0)
        let offset = plan.locations[1].offset
        #expect(reading.missingRanges == [offset - 24..<offset, offset..<offset + 1])
        reading.take(answers(reading, from: plan.bytes), from: 1)
        #expect(reading.payloads == [[1, 2, 3], [4], [5, 6]])
        let damage = try #require(reading.damage.first)
        #expect(reading.damage.count == 1)
        #expect(damage.record == 1)
        #expect(damage.region == 0)
        #expect(damage.kind == .altered)
        let frame = try #require(reading.frame(1))
        #expect(frame.bytes == Array(plan.bytes[Int(frame.offset)..<Int(offset) + 1]))
    }

    @Test("a pack that ends too early is told from one with other bytes")
    func short() {
        var reading = reading()
        reading.take(answers(reading, from: Array(plan.bytes.dropLast())), from: 0)
        #expect(reading.damage.map(\.kind) == [.absent])
        #expect(reading.damage.map(\.record) == [2])
        #expect(reading.error(["a"])?.code == .corrupt)
    }

    @Test("the record of another place is not taken, whatever its checksum")
    func shifted() {
        var reading = reading()
        let elsewhere = GroupPlan(
            [[1, 2, 3], [4], [5, 6]].map { FramedRecord($0) }, pack: PackID(high: 9, low: 9), at: 0)
        reading.take(answers(reading, from: elsewhere.bytes), from: 0)
        #expect(reading.damage.map(\.kind) == [.altered, .altered, .altered])
    }

    @Test(
        "no record is called lost or damaged while a region that may have it could not be asked",
        arguments: [
            ([.notFound, .unavailable], StorageError.Code.unavailable), ([.corrupt, .unavailable], .unavailable),
            ([.notFound, .corrupt], .corrupt), ([.io, .corrupt], .io), ([.notFound, .notFound], .notFound),
            ([.unavailable, .notFound], .unavailable),
        ] as [([StorageError.Code], StorageError.Code)])
    func worst(codes: [StorageError.Code], expected: StorageError.Code) throws {
        var reading = reading()
        for (region, code) in codes.enumerated() { reading.fail(StorageError(code, "no"), in: region) }
        let error = try #require(reading.error(["first", "second"]))
        #expect(error.code == expected)
        #expect(error.message.contains(pack.hex))
        #expect(error.cause?.contains("first") == true)
        #expect(error.cause?.contains("second") == true)
    }

    @Test("a place where no record can be is not found without asking anyone")
    func impossible() {
        let reading = RecordReading(pack: pack, locations: [PackLocation(pack: pack, offset: 3, length: 1)])
        #expect(reading.missingRanges.isEmpty)
        #expect(reading.error(["a"])?.code == .notFound)
    }
}
