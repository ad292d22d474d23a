import Model
import TestSupport
import Testing
import WireProtocol

@Suite struct WireFieldTests {
    @Test(
        "numbers take seven bits a byte and read back",
        arguments: [
            (0, 1), (1, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (UInt64(UInt32.max), 5), (UInt64.max, 10),
        ] as [(UInt64, Int)])
    func numbers(_ value: UInt64, _ length: Int) throws {
        var writer = WireWriter()
        writer.number(value)
        #expect(writer.bytes.count == length)
        var reader = WireReader(writer.bytes)
        #expect(try reader.number("n") == value)
        #expect(reader.remaining == 0)
    }

    @Test("a number in a longer form than it needs is refused")
    func overlong() {
        var reader = WireReader([0x80, 0x00])
        #expect(throws: WireError.self) { try reader.number("n") }
    }

    @Test("a number above 64 bits is refused")
    func overflow() {
        var reader = WireReader([UInt8](repeating: 0xFF, count: 9) + [0x02])
        #expect(throws: WireError.self) { try reader.number("n") }
        var endless = WireReader([UInt8](repeating: 0x80, count: 40))
        #expect(throws: WireError.self) { try endless.number("n") }
    }

    @Test("signed numbers read back", arguments: [0, 1, -1, .max, .min, 1_700_000_000_123_456_789] as [Int64])
    func signed(_ value: Int64) throws {
        var writer = WireWriter()
        writer.signed(value)
        var reader = WireReader(writer.bytes)
        #expect(try reader.signed("s") == value)
    }

    @Test("a length above its bound is refused before anything is taken")
    func bound() {
        var writer = WireWriter()
        writer.sized([UInt8](repeating: 1, count: 11))
        var reader = WireReader(writer.bytes)
        let error = #expect(throws: WireError.self) { try reader.sized("field", atMost: 10) }
        #expect(error?.code == .tooLarge)
        #expect(error?.description.contains("field") == true)
    }

    @Test("a list that claims more elements than bytes does not reserve them")
    func hugeClaim() {
        var writer = WireWriter()
        writer.number(1_000_000)
        var reader = WireReader(writer.bytes)
        let error = #expect(throws: WireError.self) {
            try reader.list("list", atMost: 1_000_000) { reader throws(WireError) in try reader.byte("element") }
        }
        #expect(error?.code == .truncated)
    }

    @Test("a record that has grown is read by one who knows only its first fields")
    func grownRecord() throws {
        var writer = WireWriter()
        writer.record { writer in
            writer.number(7)
            writer.sized(Array("a field of tomorrow".utf8))
        }
        writer.byte(9)
        var reader = WireReader(writer.bytes)
        let first = try reader.record("record") { reader throws(WireError) in try reader.number("first") }
        #expect(first == 7)
        #expect(try reader.byte("after") == 9)
    }

    @Test("a record does not let its reader past its end")
    func recordEnd() {
        var writer = WireWriter()
        writer.record { $0.byte(1) }
        writer.raw([2, 3, 4])
        var reader = WireReader(writer.bytes)
        let error = #expect(throws: WireError.self) {
            try reader.record("record") { reader throws(WireError) in
                _ = try reader.byte("one")
                return try reader.byte("two")
            }
        }
        #expect(error?.code == .truncated)
    }

    @Test("bytes left over after a message are refused")
    func leftOver() throws {
        let bytes = try MissingResponse(blocks: []).encoded() + [0]
        let error = #expect(throws: WireError.self) { try MissingResponse(decoding: bytes) }
        #expect(error?.code == .malformed)
    }
}
