import Glibc
import Model
import WireProtocol

/// Moments as people read them.
enum LocalTime {
    /// `2026-01-02 15:04:05` in the time zone of this machine, of a moment that a server sent; the text itself when it is
    /// none, `-` for nil.
    static func text(_ moment: String?) -> String {
        guard let moment else { return "-" }
        guard let time = RFC3339.read(moment) else { return Terminal.printable(moment) }
        var seconds = time_t(time.seconds)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return moment }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(Int(parts.tm_year) + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
            + " \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }
}
