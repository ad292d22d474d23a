import Model
import SyncClient
import Testing

@Suite("Points in the past as people write them")
struct PastTextTests {
    /// 2026-01-02 03:04:05 UTC.
    private let text = PastText(now: Timestamp(nanoseconds: 1_767_323_045_000_000_000), zone: "Europe/Berlin")

    @Test(
        "are revisions, moments, local times and how long ago",
        arguments: [
            ("17", "17"), ("0", "0"), ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456789Z"),
            ("2026-01-02", "2026-01-01T23:00:00.000Z"), ("2026-01-02 03:04", "2026-01-02T02:04:00.000Z"),
            ("2026-01-02 03:04:05", "2026-01-02T02:04:05.000Z"), ("2026-01-02T03:04", "2026-01-02T02:04:00.000Z"),
            ("2026-07-01 12:00", "2026-07-01T10:00:00.000Z"), ("now", "2026-01-02T03:04:05.000Z"),
            ("2h", "2026-01-02T01:04:05.000Z"), ("3d", "2025-12-30T03:04:05.000Z"),
            ("2 weeks ago", "2025-12-19T03:04:05.000Z"), ("1 Hour ago", "2026-01-02T02:04:05.000Z"),
            ("90m", "2026-01-02T01:34:05.000Z"), ("45 s", "2026-01-02T03:03:20.000Z"),
        ])
    func points(_ written: String, _ expected: String) throws {
        #expect(try text.point(written) == expected)
    }

    @Test(
        "are nothing else",
        arguments: [
            "9999-12-31", "1500-01-01", "999999w",
            "", "yesterday", "2026-02-30", "2026-13-01", "2026-01-02 25:00", "2026-01-02 12:60", "3 fortnights ago",
            "-2h",
            "2h ago ago", "2026-1-2", "17x", "99999999d",
        ])
    func nothing(_ written: String) {
        let error = #expect(throws: ClientError.self) { try text.point(written) }
        #expect(error?.code == .usage)
        #expect(error?.message.contains("'\(written)'") == true)
    }

    @Test("a window takes no revisions")
    func moments() {
        #expect(throws: ClientError.self) { try text.moment("17") }
        #expect((try? text.moment("2h")) == "2026-01-02T01:04:05.000Z")
    }

    @Test("a path may end in a revision")
    func paths() {
        func split(_ text: String) -> [String?] {
            let parts = PastText.split(text)
            return [parts.path, parts.revision]
        }
        #expect(split("/a@17") == ["/a", "17"])
        #expect(split("/a@b@3") == ["/a@b", "3"])
        #expect(split("/a@b") == ["/a@b", nil])
        #expect(split("/a@") == ["/a@", nil])
        #expect(split("/a") == ["/a", nil])
        #expect(split("/ada@example.org") == ["/ada@example.org", nil])
    }
}
