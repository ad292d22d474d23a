import Model
import Testing

@Suite("Numbers of bytes in words")
struct ByteWordsTests {
    @Test(
        "each unit begins where it is one, and ends where rounding reaches the next",
        arguments: zip(1...6, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]))
    func boundaries(_ power: Int, _ unit: String) {
        let one = UInt64(1) << UInt64(10 * power)
        let smaller = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"][power - 1]
        #expect(ByteWords.text(one) == "1.0 \(unit)")
        #expect(ByteWords.text(one + 1) == "1.0 \(unit)")
        // One and a half tenths: from the half on it is two.
        #expect(ByteWords.text(one + one / 20) == "1.0 \(unit)")
        #expect(ByteWords.text(one + one / 20 + 1) == "1.1 \(unit)")
        if power == 1 {
            #expect(ByteWords.text(one - 1) == "1023 B")
        } else {
            // 1023.95 of the smaller unit.
            let smallest = one / 1024 * 1023 + (one / 1024 * 19 + 19) / 20
            #expect(ByteWords.text(smallest - 1) == "1023.9 \(smaller)")
            #expect(ByteWords.text(smallest) == "1.0 \(unit)")
            #expect(ByteWords.text(one - 1) == "1.0 \(unit)")
        }
    }

    @Test(
        "some numbers, up to the largest",
        arguments: [
            (0, "0 B"), (812, "812 B"), (1023, "1023 B"), (1434, "1.4 KiB"), (10_188, "9.9 KiB"), (10_189, "10.0 KiB"),
            (20 << 20, "20.0 MiB"), (1_048_524, "1023.9 KiB"), (1_048_525, "1.0 MiB"), (UInt64.max, "16.0 EiB"),
        ] as [(UInt64, String)])
    func numbers(_ count: UInt64, _ text: String) {
        #expect(ByteWords.text(count) == text)
    }

    @Test("a sign where there is one")
    func signs() {
        #expect(ByteWords.text(Int64(-1536)) == "-1.5 KiB")
        #expect(ByteWords.text(Int64(-1)) == "-1 B")
        #expect(ByteWords.text(Int64(0)) == "0 B")
        #expect(ByteWords.text(Int64.min) == "-8.0 EiB")
        #expect(ByteWords.text(Int64.max) == "8.0 EiB")
    }
}
