import Foundation
public import Model
import WireProtocol

/// Points in the past as people write them, turned into what the server takes: a revision, or a moment of RFC 3339.
public struct PastText: Sendable {
    private let now: Timestamp
    private let calendar: Calendar

    /// Reads what people write at a moment, in a time zone; nil for that of the machine.
    public init(now: Timestamp, zone: String? = nil) {
        self.now = now
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone.flatMap { TimeZone(identifier: $0) } ?? .current
        self.calendar = calendar
    }

    /// The forms, for messages and help.
    public static let forms = """
        a moment as 2026-01-02T15:04:05Z, a local time as 2026-01-02, '2026-01-02 15:04' or '2026-01-02 15:04:05', or how \
        long ago as 30m, 2h, 3d or '2 weeks ago'
        """

    /// A revision or a time.
    /// - Throws: ``ClientError`` `usage` for what is neither.
    public func point(_ text: String) throws -> String {
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        return isNumber ? text : try moment(text)
    }

    /// A time.
    /// - Throws: ``ClientError`` `usage` for what is none.
    public func moment(_ text: String) throws -> String {
        if RFC3339.read(text) != nil { return text }
        guard let time = try local(text) ?? relative(text) else {
            throw ClientError(.usage, "'\(text)' is no time: write \(Self.forms)")
        }
        return ISOTime.text(time)
    }

    /// Splits `PATH@REVISION`; what does not end in `@` and digits is a path as a whole.
    public static func split(_ text: String) -> (path: String, revision: String?) {
        guard let mark = text.lastIndex(of: "@") else { return (text, nil) }
        let digits = text[text.index(after: mark)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return (text, nil) }
        return (String(text[..<mark]), String(digits))
    }

    /// `2026-01-02`, `2026-01-02 15:04` or `2026-01-02 15:04:05`; nil for another form.
    private func local(_ text: String) throws -> Timestamp? {
        let pattern = /(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2}))?)?/
        guard let match = try pattern.wholeMatch(in: text) else { return nil }
        func number(_ text: Substring?) -> Int { text.flatMap { Int($0) } ?? 0 }
        var parts = DateComponents()
        (parts.year, parts.month, parts.day) = (number(match.1), number(match.2), number(match.3))
        (parts.hour, parts.minute, parts.second) = (number(match.4), number(match.5), number(match.6))
        // The 30th of February would be read as a day in March.
        guard (1...12).contains(number(match.2)), number(match.4) < 24, number(match.5) < 60, number(match.6) < 60,
            let date = calendar.date(from: parts),
            calendar.dateComponents([.month, .day], from: date)
                == DateComponents(month: number(match.2), day: number(match.3))
        else { return nil }
        return Self.time(seconds: Int64(date.timeIntervalSince1970))
    }

    /// `2h`, `3 d`, `2 weeks ago`; nil for another form.
    private func relative(_ text: String) throws -> Timestamp? {
        if text == "now" { return now }
        let pattern = /(\d{1,6})\s*([a-z]+)(?:\s+ago)?/
        guard let match = try pattern.wholeMatch(in: text.lowercased()), let count = Int64(match.1),
            let unit = Self.units[String(match.2)]
        else { return nil }
        guard count * unit <= 9_223_372_036 else { return nil }
        let (nanoseconds, isBeforeAll) = now.nanoseconds.subtractingReportingOverflow(count * unit * 1_000_000_000)
        return isBeforeAll ? nil : Timestamp(nanoseconds: nanoseconds)
    }

    /// A moment; nil for one that nanoseconds in 64 bits can't say: before 1678 or after 2262.
    private static func time(seconds: Int64) -> Timestamp? {
        (-9_223_372_036...9_223_372_035).contains(seconds) ? Timestamp(nanoseconds: seconds * 1_000_000_000) : nil
    }

    private static let units: [String: Int64] = [
        "s": 1, "sec": 1, "second": 1, "seconds": 1,
        "m": 60, "min": 60, "minute": 60, "minutes": 60,
        "h": 3600, "hour": 3600, "hours": 3600,
        "d": 86_400, "day": 86_400, "days": 86_400,
        "w": 604_800, "week": 604_800, "weeks": 604_800,
    ]
}
