public import Model

/// How many versions of a time are kept: all of them, or the newest of each hour, day, week, month or year.
///
/// The pieces of time are fixed in UTC, and every piece lies within one of the next coarser kind: a week begins on Monday and
/// belongs to the month that has its Thursday, as in ISO 8601. So the newest version of a month is also the newest of its
/// week, its day and its hour, and what a coarser step wants was never given up by a finer one.
public enum Granularity: String, Hashable, Comparable, Sendable, CaseIterable {
    /// Every version.
    case all
    /// The newest of each hour.
    case hourly
    /// The newest of each day.
    case daily
    /// The newest of each week, from Monday to Sunday.
    case weekly
    /// The newest of each month of whole weeks.
    case monthly
    /// The newest of each year of whole weeks.
    case yearly

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// Orders by coarseness: `all` first.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    /// The piece of time that a moment lies in, as a number that rises with time; nil for `all`, where every moment stands
    /// for itself.
    public func piece(of time: Timestamp) -> Int64? {
        let seconds = time.seconds
        switch self {
        case .all: return nil
        case .hourly: return Self.floor(seconds, 3600)
        case .daily: return Self.floor(seconds, 86_400)
        case .weekly: return Self.week(seconds)
        case .monthly: return Self.month(ofThursday: Self.week(seconds) * 7)
        case .yearly: return Self.floor(Self.month(ofThursday: Self.week(seconds) * 7), 12)
        }
    }

    /// The word for one piece; nil for `all`.
    var piece: String? {
        switch self {
        case .all: nil
        case .hourly: "hour"
        case .daily: "day"
        case .weekly: "week"
        case .monthly: "month"
        case .yearly: "year"
        }
    }

    /// The number of the week. Day 0 of 1970 was a Thursday, so week 0 began three days before it, and the Thursday of week n
    /// is day 7n.
    private static func week(_ seconds: Int64) -> Int64 { floor(floor(seconds, 86_400) + 3, 7) }

    /// Months since the year 0 of the month that has a day, counted from 1970-01-01 in the Gregorian calendar.
    ///
    /// Counts in years that begin in March, so that the leap day is the last one: 400 of them have 146,097 days.
    private static func month(ofThursday day: Int64) -> Int64 {
        // Day 0 is 0000-03-01, 719,468 days before 1970.
        let shifted = day + 719_468
        let era = floor(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // From March on five months always have 153 days.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        return (era * 400 + yearOfEra) * 12 + monthFromMarch + 2
    }

    private static func floor(_ number: Int64, _ divisor: Int64) -> Int64 {
        let quotient = number / divisor
        return number % divisor < 0 ? quotient - 1 : quotient
    }
}
