import Messaging
import Model
import TestSupport
import Testing

@testable import MessagingLocal

@Suite("A frame of the bus")
struct BusFrameTests {
    static let notice = ChangeNotice(
        namespace: NamespaceID(high: 1, low: 2), revision: Revision(0x0102_0304_0506_0708), kind: .uploaded,
        device: DeviceID(high: 3, low: 4))

    static let frames: [BusFrame] = [
        .hello(version: 1), .event(BusEvent(sequence: 9, message: .changed(notice))),
        .event(BusEvent(sequence: .max, message: .resumed)),
        .publish(
            .changed(
                ChangeNotice(
                    namespace: NamespaceID(high: .max, low: 0), revision: .zero, kind: .pending,
                    device: DeviceID(high: 0, low: .max)))), .publish(.revoked(DeviceID(high: 5, low: 6))),
        .acknowledged, .lost,
    ]

    @Test("is read as it was written", arguments: frames)
    func roundTrip(frame: BusFrame) throws {
        var reader = BusFrameReader()
        reader.feed(frame.encoded)
        #expect(try reader.next() == frame)
        #expect(try reader.next() == nil)
        #expect(frame.encoded.count <= BusFrame.longest + 4)
    }

    @Test("has these bytes")
    func bytes() {
        #expect(BusFrame.hello(version: 1).encoded == [0, 0, 0, 11, 1] + Array("cairn bus".utf8) + [1])
        let device = DeviceID(high: 5, low: 6)
        #expect(BusFrame.publish(.revoked(device)).encoded.hex == "000000120302" + device.hex)
        #expect(
            BusFrame.event(BusEvent(sequence: 9, message: .changed(Self.notice))).encoded.hex
                == "00000033" + "02" + "0000000000000009" + "0101" + Self.notice.namespace.hex + "0102030405060708"
                + Self.notice.device.hex)
        #expect(BusFrame.acknowledged.encoded == [0, 0, 0, 1, 4])
        #expect(BusFrame.lost.encoded == [0, 0, 0, 1, 5])
    }

    @Test("is read however it is torn")
    func torn() throws {
        let stream = Self.frames.flatMap(\.encoded)
        for length in 1...40 {
            var reader = BusFrameReader()
            var read: [BusFrame] = []
            for start in stride(from: 0, to: stream.count, by: length) {
                reader.feed(stream[start..<min(stream.count, start + length)])
                while let frame = try reader.next() { read.append(frame) }
            }
            #expect(read == Self.frames, "in pieces of \(length)")
        }
    }

    @Test("that is cut short or too long is refused", arguments: frames)
    func lengths(frame: BusFrame) {
        let body = Array(frame.encoded.dropFirst(4))
        for count in 0..<body.count { #expect(Self.isRefused(Array(body[..<count]))) }
        #expect(Self.isRefused(body + [0]))
    }

    @Test(
        "of no known kind is refused",
        arguments: [
            [], [0], [6], [255], [1] + Array("cairn bas".utf8) + [1], [3, 0], [3, 4],
            [3, 1, 2] + [UInt8](repeating: 0, count: 40),
        ] as [[UInt8]])
    func kinds(body: [UInt8]) {
        #expect(Self.isRefused(body))
    }

    @Test("is not waited for when its length is absurd", arguments: [0, 129, 1 << 20, UInt32.max])
    func absurd(length: UInt32) {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: length)
        var reader = BusFrameReader()
        reader.feed(bytes)
        #expect(throws: BusSocketError(.malformed, "")) { try reader.next() }
    }

    @Test("is never made of garbage without its being noticed", arguments: 0..<200 as Range<UInt64>)
    func garbage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var stream = Self.frames.flatMap(\.encoded)
        let place = Int.random(in: 0..<stream.count, using: &generator)
        stream[place] ^= UInt8.random(in: 1...255, using: &generator)
        var reader = BusFrameReader()
        reader.feed(stream)
        var read: [BusFrame] = []
        do {
            while let frame = try reader.next() { read.append(frame) }
        } catch {
            #expect(error.code == .malformed)
        }
        // Whatever was flipped, what was read is written back to the same bytes.
        #expect(stream.starts(with: read.flatMap(\.encoded)))
        #expect(read != Self.frames)
    }

    private static func isRefused(_ body: [UInt8]) -> Bool {
        do {
            _ = try BusFrame(decoding: body[...])
            return false
        } catch {
            return error.code == .malformed
        }
    }
}
