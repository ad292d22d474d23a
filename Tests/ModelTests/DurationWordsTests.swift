import Model
import Testing

@Suite("Spans of time in words")
struct DurationWordsTests {
    @Test(
        "are rounded to a unit of which there are a few",
        arguments: [
            (0, "0 s"), (1, "1 s"), (89, "89 s"), (90, "2 min"), (3599, "60 min"), (5399, "90 min"), (5400, "2 h"),
            (14_400, "4 h"), (86_400, "24 h"), (129_599, "36 h"), (129_600, "2 d"), (200_000, "2 d"),
            (1_000_000, "12 d"),
        ] as [(Int64, String)])
    func words(seconds: Int64, text: String) {
        #expect(DurationWords.about(seconds) == text)
    }
}
