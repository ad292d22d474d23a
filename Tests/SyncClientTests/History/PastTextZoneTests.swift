import Model
import SyncClient
import Testing
import WireProtocol

@Suite("Points in the past where clocks are set forward and back")
struct PastTextZoneTests {
    private func moment(_ written: String, _ zone: String, now: String = "2026-11-01T00:00:00Z") throws -> String {
        let now = try #require(RFC3339.read(now))
        return try PastText(now: now, zone: zone).moment(written)
    }

    @Test(
        "the hour that is left out, the hour that comes twice, and their neighbours",
        arguments: [
            ("2026-03-29 01:59", "2026-03-29T00:59:00.000Z"), ("2026-03-29 03:00", "2026-03-29T01:00:00.000Z"),
            ("2026-03-29 02:30", "2026-03-29T01:30:00.000Z"), ("2026-10-25 01:59", "2026-10-24T23:59:00.000Z"),
            ("2026-10-25 02:30", "2026-10-25T00:30:00.000Z"), ("2026-10-25 03:00", "2026-10-25T02:00:00.000Z"),
        ])
    func berlin(_ written: String, _ expected: String) throws {
        #expect(try moment(written, "Europe/Berlin") == expected)
    }

    @Test("a day that does not begin at midnight begins with its first hour")
    func lateDay() throws {
        #expect(try moment("2026-09-06", "America/Santiago") == "2026-09-06T04:00:00.000Z")
        #expect(try moment("2026-09-06 01:00", "America/Santiago") == "2026-09-06T04:00:00.000Z")
    }

    @Test("a day that a zone left out is none")
    func missingDay() {
        #expect(throws: ClientError.self) { try moment("2011-12-30 12:00", "Pacific/Apia") }
    }

    @Test("zones that are not whole hours away, and years before 1970")
    func oddZones() throws {
        #expect(try moment("2026-07-01 12:00", "America/St_Johns") == "2026-07-01T14:30:00.000Z")
        #expect(try moment("2026-07-01 12:00", "Asia/Kathmandu") == "2026-07-01T06:15:00.000Z")
        #expect(try moment("1969-12-31 23:00", "UTC") == "1969-12-31T23:00:00.000Z")
    }

    @Test("a day ago is 24 hours ago, whatever the clocks did")
    func dayAgo() throws {
        let now = "2026-03-29T12:00:00.250Z"
        #expect(try moment("1d", "Europe/Berlin", now: now) == "2026-03-28T12:00:00.250Z")
        #expect(try moment("24 hours ago", "Europe/Berlin", now: now) == "2026-03-28T12:00:00.250Z")
        #expect(try moment("1w", "Europe/Berlin", now: now) == "2026-03-22T12:00:00.250Z")
        #expect(try moment("0s", "Europe/Berlin", now: now) == now)
    }

    @Test("every unit may be written short, in full and in the plural, in capitals and with blanks")
    func units() throws {
        let forms = [
            (
                ["60s", "60 sec", "60 second", "60 seconds ago", "1m", "1 MIN", "1minute ago"],
                "2026-10-31T23:59:00.000Z"
            ),
            (
                ["168h", "168 hour", "168 Hours", "7d", "7 day", "7   days", "1w", "1 week\tago"],
                "2026-10-25T00:00:00.000Z"
            ),
        ]
        for (texts, expected) in forms {
            for text in texts { #expect(try moment(text, "Europe/Berlin") == expected, "\(text)") }
        }
    }

    @Test("29 February is a day in leap years only")
    func leapDay() throws {
        #expect(try moment("2024-02-29", "UTC") == "2024-02-29T00:00:00.000Z")
        for text in ["2023-02-29", "2100-02-29", "2026-04-31", "2026-00-10", "2026-01-00"] {
            #expect(throws: ClientError.self, "\(text)") { try moment(text, "UTC") }
        }
    }

    @Test(
        "a moment with an offset is passed on as it is written",
        arguments: ["2026-03-29T02:30:00+01:00", "2026-03-29T02:30:00.5-09:30", "2024-02-29t23:59:60z"])
    func offsets(_ written: String) throws {
        #expect(try moment(written, "Asia/Kathmandu") == written)
    }
}
