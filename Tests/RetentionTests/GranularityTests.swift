import Foundation
import Model
import TestSupport
import Testing

@testable import Retention

@Suite("Pieces of time")
struct GranularityTests {
    private func time(_ text: String) throws -> Timestamp {
        let date = try #require(try? Date(text, strategy: .iso8601))
        return Timestamp(nanoseconds: Int64(date.timeIntervalSince1970) * 1_000_000_000)
    }

    private static let kinds = Granularity.allCases.filter { $0 != .all }

    @Test("a piece lies within one of the next coarser kind, whenever it is")
    func nested() {
        var random = SeededGenerator(seed: 1)
        var broken: [String] = []
        for _ in 0..<20_000 {
            // From 1678 to 2261.
            let seconds = Int64.random(in: -9_200_000_000...9_200_000_000, using: &random)
            let other = seconds + Int64.random(in: -4_000_000...4_000_000, using: &random)
            let times = [seconds, other].map { Timestamp(nanoseconds: $0 * 1_000_000_000) }
            for (fine, coarse) in zip(Self.kinds, Self.kinds.dropFirst())
            where fine.piece(of: times[0]) == fine.piece(of: times[1]) {
                if coarse.piece(of: times[0]) != coarse.piece(of: times[1]) { broken.append("\(fine) \(times)") }
            }
        }
        #expect(broken.isEmpty)
    }

    @Test("pieces come one after the other, without a gap")
    func consecutive() {
        for kind in Self.kinds {
            let pieces = (Int64(-20_000)..<2000).compactMap { hour in
                kind.piece(of: Timestamp(nanoseconds: hour * 3_600_000_000_000))
            }
            let steps = Set(zip(pieces, pieces.dropFirst()).map { $1 - $0 })
            let expected: Set<Int64> = kind == .hourly ? [1] : [0, 1]
            #expect(steps == expected, "\(kind)")
        }
    }

    @Test(
        "the borders are those of ISO 8601",
        arguments: [
            // The last moment of one piece and the first of the next.
            (Granularity.hourly, "2026-01-02T03:59:59Z", "2026-01-02T04:00:00Z"),
            (.daily, "2024-02-28T23:59:59Z", "2024-02-29T00:00:00Z"),
            (.weekly, "2026-01-04T23:59:59Z", "2026-01-05T00:00:00Z"),
            // A week belongs to the month of its Thursday: 1 January 2026 is one, 1 February 2026 is a Sunday.
            (.monthly, "2025-12-28T23:59:59Z", "2025-12-29T00:00:00Z"),
            (.monthly, "2026-02-01T23:59:59Z", "2026-02-02T00:00:00Z"),
            (.yearly, "2025-12-28T23:59:59Z", "2025-12-29T00:00:00Z"),
            (.yearly, "2027-01-03T23:59:59Z", "2027-01-04T00:00:00Z"),
        ])
    func borders(kind: Granularity, last: String, first: String) throws {
        let pieces = try [last, first].map { try #require(kind.piece(of: try time($0))) }
        #expect(pieces[1] == pieces[0] + 1)
    }

    @Test("months and years agree with the calendar of the system for the Thursdays of 600 years")
    func calendar() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        var wrong: [Int64] = []
        for week in Int64(-12_000)..<15_000 {
            let seconds = week * 7 * 86_400
            let parts = calendar.dateComponents([.year, .month], from: Date(timeIntervalSince1970: Double(seconds)))
            let (year, month) = (Int64(parts.year ?? 0), Int64(parts.month ?? 0))
            let time = Timestamp(nanoseconds: seconds * 1_000_000_000)
            let isRight =
                Granularity.monthly.piece(of: time) == year * 12 + month - 1
                && Granularity.yearly.piece(of: time) == year
            if !isRight { wrong.append(week) }
        }
        #expect(wrong.isEmpty)
    }

    @Test("for all, every moment stands for itself")
    func all() {
        #expect(Granularity.all.piece(of: Versions.now) == nil)
    }

    @Test("each length of a burst divides the next, and the hour")
    func bursts() {
        let lengths = [1, 12, 13, 60, 61, 120, 121, 360, 361, 720, 3600].map {
            RetentionPolicy.burstLength(Span(seconds: $0))
        }
        #expect(lengths == [60, 60, 300, 300, 600, 600, 1800, 1800, 3600, 3600, 3600])
        for (short, long) in zip(lengths, lengths.dropFirst()) { #expect(long % short == 0) }
    }
}
