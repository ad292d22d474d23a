/// Base 64 with the alphabet for addresses (RFC 4648, section 5), without padding.
enum Base64URL {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    /// For each byte the value of the digit that it is, or 255.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for value in 0..<64 { values[Int(alphabet.utf8Start[value])] = UInt8(value) }
        return values
    }()

    /// How many bytes so many digits stand for; nil for a number of digits that no bytes have.
    static func decodedCount(_ digits: Int) -> Int? {
        digits % 4 == 1 ? nil : digits / 4 * 3 + max(0, digits % 4 - 1)
    }

    /// Writes the bytes of a text to `out`, which has exactly ``decodedCount(_:)`` bytes. False, with `out` in any
    /// state, for a text that ``encode(_:)`` would not have made: other characters, or stray bits at the end.
    static func decode(_ text: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer) -> Bool {
        values.withUnsafeBufferPointer { values in
            var bits: UInt32 = 0
            var held = 0
            var written = 0
            var faults: UInt8 = 0
            for byte in text {
                let value = values[Int(byte)]
                faults |= value
                bits = bits << 6 | UInt32(value & 63)
                held += 6
                if held >= 8 {
                    held -= 8
                    out[written] = UInt8(truncatingIfNeeded: bits >> UInt32(held))
                    written += 1
                }
            }
            // 255 is the only value with the two upper bits.
            return faults & 0xC0 == 0 && bits & (1 << UInt32(held) - 1) == 0
        }
    }

    /// The text of bytes.
    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var bits: UInt32 = 0
        var held = 0
        func digit(_ value: UInt32) -> UInt8 { alphabet.utf8Start[Int(value & 63)] }
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            held += 8
            while held >= 6 {
                held -= 6
                text.append(digit(bits >> UInt32(held)))
            }
        }
        if held > 0 { text.append(digit(bits << UInt32(6 - held))) }
        return String(decoding: text, as: UTF8.self)
    }
}
