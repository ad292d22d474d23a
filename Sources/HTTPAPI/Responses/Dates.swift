public import Model

/// Moments as text.
public enum Dates {
    /// ISO 8601 in UTC, to the millisecond: `2026-01-02T03:04:05.678Z`.
    public static func iso8601(_ time: Timestamp) -> String {
        let moment = Moment(time)
        return "\(pad(moment.year, 4))-\(pad(moment.month, 2))-\(pad(moment.day, 2))T\(clock(moment))"
            + ".\(pad(moment.nanoseconds / 1_000_000, 3))Z"
    }

    /// The form of HTTP (RFC 9110, section 5.6.7): `Fri, 02 Jan 2026 03:04:05 GMT`.
    static func http(_ time: Timestamp) -> String {
        let moment = Moment(time)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(days[moment.weekday]), \(pad(moment.day, 2)) \(months[moment.month - 1]) \(pad(moment.year, 4)) "
            + "\(clock(moment)) GMT"
    }

    /// Reads seconds since 1970, with up to nine digits after the point; nil for anything else.
    static func seconds(_ text: String) -> Timestamp? {
        let isNegative = text.hasPrefix("-")
        let parts = text.dropFirst(isNegative ? 1 : 0).split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = digits(parts[0]), whole <= 9_000_000_000 else { return nil }
        var fraction: Int64 = 0
        if parts.count == 2 {
            guard parts[1].count <= 9, let value = digits(parts[1]) else { return nil }
            fraction = value
            for _ in parts[1].count..<9 { fraction *= 10 }
        }
        let nanoseconds = whole * 1_000_000_000 + fraction
        return Timestamp(nanoseconds: isNegative ? -nanoseconds : nanoseconds)
    }

    private static func digits(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text)
    }

    private static func clock(_ moment: Moment) -> String {
        "\(pad(moment.second / 3600, 2)):\(pad(moment.second / 60 % 60, 2)):\(pad(moment.second % 60, 2))"
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// The parts of a date by the proleptic Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private struct Moment {
        let year, month, day, weekday, second, nanoseconds: Int

        init(_ time: Timestamp) {
            let days = Int((Double(time.seconds) / 86_400).rounded(.down))
            second = Int(time.seconds) - days * 86_400
            nanoseconds = Int(time.nanoseconds - time.seconds * 1_000_000_000)
            weekday = ((days + 4) % 7 + 7) % 7
            let shifted = days + 719_468
            let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
            let dayOfEra = shifted - era * 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let shiftedMonth = (5 * dayOfYear + 2) / 153
            day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
            month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
            year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        }
    }
}
