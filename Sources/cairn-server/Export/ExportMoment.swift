import ArgumentParser
import Model
import WireProtocol

/// Which state of a tree is meant: a revision, or a moment.
enum ExportMoment: ExpressibleByArgument, Equatable {
    case revision(Revision)
    case time(Timestamp)

    /// Reads `12`, `2026-01-02`, `2026-01-02T03:04:05` or the same with a zone; without one it is UTC.
    init?(argument: String) {
        if argument.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(argument) {
            self = .revision(Revision(number))
            return
        }
        var text = argument
        if text.count == 10 { text += "T00:00:00" }
        guard let clock = text.split(separator: "T", maxSplits: 1).dropFirst().first else { return nil }
        if !clock.contains(where: { "Zz+-".contains($0) }) { text += "Z" }
        guard let time = RFC3339.read(text) else { return nil }
        self = .time(time)
    }
}
