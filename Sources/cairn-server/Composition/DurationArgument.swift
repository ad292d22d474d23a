import ArgumentParser

/// A span of time: `90d`, `4h`, `15m`, `30s`.
struct DurationArgument: ExpressibleByArgument {
    let duration: Duration

    init(seconds: Int64) {
        duration = .seconds(seconds)
    }

    private static let units: [(letter: Character, seconds: Int64)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]

    var defaultValueDescription: String {
        let seconds = duration.components.seconds
        let unit = Self.units.first { seconds > 0 && seconds % $0.seconds == 0 } ?? ("s", 1)
        return "\(seconds / unit.seconds)\(unit.letter)"
    }

    init?(argument: String) {
        guard let last = argument.last, let unit = Self.units.first(where: { $0.letter == last })?.seconds,
            argument.dropLast().allSatisfy(\.isASCII), let number = Int64(argument.dropLast()), number >= 0,
            // A hundred years: far from what a moment in nanoseconds can hold.
            number <= 36_500 * 86_400 / unit
        else { return nil }
        duration = .seconds(number * unit)
    }
}
