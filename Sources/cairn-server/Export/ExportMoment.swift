import ArgumentParser
import Foundation
import Model

/// Which state of a tree is meant: a revision, or a moment.
enum ExportMoment: ExpressibleByArgument, Equatable {
    case revision(Revision)
    case time(Timestamp)

    /// Reads `12`, `2026-01-02`, `2026-01-02T03:04:05` or the same with a zone; without one it is UTC.
    init?(argument: String) {
        if let number = UInt64(argument) {
            self = .revision(Revision(number))
            return
        }
        var text = argument
        if text.count == 10 { text += "T00:00:00" }
        guard let clock = text.split(separator: "T", maxSplits: 1).dropFirst().first else { return nil }
        if !clock.contains("Z"), !clock.contains("+"), !clock.contains("-") { text += "Z" }
        let format = ISO8601DateFormatter()
        format.formatOptions =
            clock.contains(".") ? [.withInternetDateTime, .withFractionalSeconds] : [.withInternetDateTime]
        guard let date = format.date(from: text) else { return nil }
        self = .time(Timestamp(nanoseconds: Int64((date.timeIntervalSince1970 * 1000).rounded()) * 1_000_000))
    }
}
