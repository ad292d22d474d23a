package import Model

/// A moment as Signature Version 4 writes it.
package struct SigningTime: Hashable, Sendable {
    /// `20260102`.
    let day: String
    /// `20260102T030405Z`.
    package let second: String

    /// Writes a moment.
    package init(_ moment: Timestamp) {
        let (days, rest) = moment.seconds.quotientAndRemainder(dividingBy: 86_400)
        let (day, inDay) = rest < 0 ? (days - 1, rest + 86_400) : (days, rest)
        let (year, month, date) = Self.civil(day)
        self.day = Self.digits(year, 4) + Self.digits(month, 2) + Self.digits(date, 2)
        let clock = [inDay / 3600, inDay / 60 % 60, inDay % 60].map { Self.digits($0, 2) }.joined()
        second = self.day + "T" + clock + "Z"
    }

    /// The date of a day since 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013).
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func digits(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// The seconds since 1970 of a moment as answers write it, `2026-01-02T03:04:05.678Z`; nil for anything else.
    package static func seconds(of text: String) -> Int64? {
        let parts = text.split(whereSeparator: { "-T:.Z".contains($0) }).map { Int64($0) }
        guard text.hasSuffix("Z"), parts.count == 6 || parts.count == 7,
            let year = parts[0], let month = parts[1], let day = parts[2],
            let hour = parts[3], let minute = parts[4], let second = parts[5],
            (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (era * 146_097 + dayOfEra - 719_468) * 86_400 + hour * 3600 + minute * 60 + second
    }
}
