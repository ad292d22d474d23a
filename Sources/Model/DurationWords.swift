/// Spans of time for people.
public enum DurationWords {
    /// `45 s`, `12 min`, `4 h`, `2 d`: rounded to the nearest of a unit of which there are a few.
    public static func about(_ seconds: Int64) -> String {
        switch seconds {
        case ..<90: "\(seconds) s"
        case ..<5400: "\((seconds + 30) / 60) min"
        case ..<129_600: "\((seconds + 1800) / 3600) h"
        default: "\((seconds + 43_200) / 86_400) d"
        }
    }
}
