import Model

/// A length of time in whole seconds, as policies name it: `90s`, `2m`, `1h`, `7d`, `2w`, `1y`.
///
/// A day has 86,400 seconds, a week 7 days, a year 365 days.
public struct Span: Hashable, Comparable, Sendable {
    /// The seconds; never negative.
    public let seconds: Int64

    /// Makes a span of its seconds.
    public init(seconds: Int64) {
        precondition(seconds >= 0, "a span of time is not negative")
        self.seconds = seconds
    }

    /// The longest span that a policy may name: 1,000 years.
    public static let longest = Span(seconds: 1000 * 365 * 86_400)

    /// Units, the longest first: the letter, the seconds, and the word.
    private static let units: [(letter: Character, seconds: Int64, word: String)] = [
        ("y", 365 * 86_400, "year"), ("w", 7 * 86_400, "week"), ("d", 86_400, "day"), ("h", 3600, "hour"),
        ("m", 60, "minute"), ("s", 1, "second"),
    ]

    /// Reads a number and a unit; nil for anything else, and for more than ``longest``.
    public init?(_ text: String) {
        guard let letter = text.last, let unit = Self.units.first(where: { $0.letter == letter }),
            text.dropLast().allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int64(text.dropLast()),
            number <= Self.longest.seconds / unit.seconds
        else { return nil }
        seconds = number * unit.seconds
    }

    /// How a policy names it: in the longest unit that it is a whole number of.
    public var text: String {
        let unit = unit
        return "\(seconds / unit.seconds)\(unit.letter)"
    }

    private var unit: (letter: Character, seconds: Int64, word: String) {
        let fitting = Self.units.first { seconds >= $0.seconds && seconds % $0.seconds == 0 && $0.letter != "w" }
        return fitting ?? (letter: "s", seconds: 1, word: "second")
    }

    /// Whether less than this lies between two moments. A moment in the future is no time ago.
    func isLonger(than start: Timestamp, to end: Timestamp) -> Bool {
        Self.nanoseconds(from: start, to: end) / 1_000_000_000 < seconds
    }

    /// The seconds between two moments; never negative.
    static func seconds(from start: Timestamp, to end: Timestamp) -> Double {
        Double(nanoseconds(from: start, to: end)) / 1_000_000_000
    }

    private static func nanoseconds(from start: Timestamp, to end: Timestamp) -> Int64 {
        let (difference, isTooLong) = end.nanoseconds.subtractingReportingOverflow(start.nanoseconds)
        if isTooLong { return start < end ? .max : 0 }
        return max(0, difference)
    }

    /// Orders by length.
    public static func < (left: Self, right: Self) -> Bool { left.seconds < right.seconds }
}

extension Span: CustomStringConvertible {
    /// For people: `1 hour`, `40 seconds`.
    public var description: String {
        let unit = unit
        let count = seconds / unit.seconds
        return "\(count) \(unit.word)\(count == 1 ? "" : "s")"
    }
}
