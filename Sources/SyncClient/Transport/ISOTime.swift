import Foundation
public import Model

/// Moments as ISO 8601 in UTC, as JSON and headers carry them.
public enum ISOTime {
    /// `2026-01-31T12:34:56.123Z`, to the millisecond.
    public static func text(_ time: Timestamp) -> String {
        let whole = Date(timeIntervalSince1970: Double(time.seconds)).formatted(Date.ISO8601FormatStyle())
        let places = String((time.nanoseconds - time.seconds * 1_000_000_000) / 1_000_000)
        return "\(whole.dropLast()).\(String(repeating: "0", count: 3 - places.count))\(places)Z"
    }

    /// Seconds since 1970 with nine places after the point, as the server's headers take them.
    static func seconds(_ time: Timestamp) -> String {
        let (whole, fraction) = time.nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        let places = String(fraction)
        let zeros = String(repeating: "0", count: 9 - places.count)
        return (time.nanoseconds < 0 ? "-" : "") + "\(whole).\(zeros)\(places)"
    }

    /// Reads `Sat, 31 Jan 2026 12:34:56 GMT`, as HTTP writes dates (RFC 9110); nil for anything else.
    static func readHTTP(_ text: String) -> Timestamp? {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return formatter.date(from: text).map {
            Timestamp(nanoseconds: Int64($0.timeIntervalSince1970) * 1_000_000_000)
        }
    }

    /// `2026-01-31`, the day in UTC.
    public static func day(_ time: Timestamp) -> String { String(text(time).prefix(10)) }
}
