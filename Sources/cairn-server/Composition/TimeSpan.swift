import ArgumentParser

/// A duration: `6h`, `30m`, `10s`, `2d`, `0`.
struct TimeSpan: ExpressibleByArgument {
    let duration: Duration

    init(hours: Int) {
        duration = .seconds(hours * 3600)
    }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        var digits = argument[...]
        guard let last = digits.last else { return nil }
        // Nothing needs no unit; all else does.
        var unit = 0
        if let factor = units[last] {
            unit = factor
            digits.removeLast()
        } else if argument != "0" {
            return nil
        }
        guard digits.allSatisfy(\.isNumber), let number = Int(digits), number <= Self.most / max(1, unit) else {
            return nil
        }
        duration = .seconds(number * unit)
    }

    /// Ten years.
    private static let most = 3650 * 86_400

    var defaultValueDescription: String {
        let seconds = duration.components.seconds
        if seconds == 0 { return "0" }
        if seconds % 86_400 == 0, seconds > 2 * 86_400 { return "\(seconds / 86_400)d" }
        return seconds % 3600 == 0 ? "\(seconds / 3600)h" : "\(seconds)s"
    }
}
