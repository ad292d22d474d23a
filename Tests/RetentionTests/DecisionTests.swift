import Model
import Testing

@testable import Retention

@Suite("What becomes of versions, and why")
struct DecisionTests {
    private let now = Versions.now
    private let hour: Int64 = 3600
    private let day: Int64 = 86_400

    private func words(_ policy: RetentionPolicy, _ versions: [FileVersion], freeing: UInt64 = 0) -> [String] {
        policy.decide(versions, now: now, freeing: freeing).map { "\($0.verdict)" }
    }

    @Test("the default: all of a day, then the newest of hours, days, weeks and months")
    func standard() throws {
        // 03:04:05 on a Friday; two of each piece of time.
        let ages = [
            800 * day, 799 * day, 100 * day, 99 * day, 12 * day + 2 * hour, 12 * day, 3 * day + 600, 3 * day, 5 * hour,
            5 * hour - 300, 2 * hour,
        ]
        let versions = Versions.made(secondsAgo: ages)
        #expect(
            words(.standard, versions) == [
                "kept: it is the first version", "kept: monthly",
                "goes: weekly for 1 year, and a newer one of that week is there", "kept: weekly for 1 year",
                "goes: daily for 30 days, and a newer one of that day is there", "kept: daily for 30 days",
                "kept: hourly for 7 days", "kept: hourly for 7 days", "kept: everything for 1 day",
                "kept: everything for 1 day", "kept: it is the present version",
            ])
    }

    @Test("a burst of saves leaves its last; another device's save is none of it")
    func bursts() {
        // Ages from 10:00:00 on of the day before, so that no border is near: 17 h 4 min 5 s ago.
        let start = 17 * hour + 245
        let ages = [40 * day, start, start - 40, start - 50, start - 90, start - 300, 2 * hour]
        var versions = Versions.made(secondsAgo: ages)
        versions[3].device = Versions.phone
        #expect(
            words(.standard, versions) == [
                "kept: it is the first version", "goes: a newer save 40 seconds later replaces it",
                "goes: a newer save 50 seconds later replaces it", "kept: everything for 1 day",
                "kept: everything for 1 day", "kept: everything for 1 day", "kept: it is the present version",
            ])
    }

    @Test("a burst that never pauses leaves one version for each ten minutes")
    func longBurst() {
        let saves = (0..<360 as Range<Int64>).map { 20 * hour - $0 * 30 }
        let versions = Versions.made(secondsAgo: [40 * day] + saves + [0])
        let kept = RetentionPolicy.standard.kept(versions)
        #expect((2 + 18...2 + 19).contains(kept.count))
    }

    @Test("pins, and bytes that the file has again, stay")
    func pins() {
        var versions = Versions.made(secondsAgo: [100 * day, 99 * day + 60, 99 * day + 40, 99 * day, 2 * hour])
        versions[1].isPinned = true
        versions[2].isPresentAgain = true
        #expect(
            words(.standard, versions)[1...3] == [
                "kept: it is pinned", "kept: the present version has the same bytes", "kept: weekly for 1 year",
            ])
    }

    @Test("what was replaced just now stays, however old it is")
    func young() {
        let versions = Versions.made(secondsAgo: [100 * day, 99 * day + 600, 99 * day, 1800])
        let once = words(.standard, versions)
        #expect(once[1] == "goes: weekly for 1 year, and a newer one of that week is there")
        #expect(once[2] == "kept: it was the present version less than 1 hour ago")
    }

    @Test("a deleted file: its first and last stay a year, then the ladder decides")
    func deleted() throws {
        let policy = try RetentionPolicy(
            parsing: #"{"ladder":[{"keep":"daily","for":"30d"}],"keep_deleted":"1y","max_versions":null}"#)
        let versions = Versions.made(secondsAgo: [200 * day, 150 * day, 101 * day], deleted: 100 * day)
        #expect(
            words(policy, versions) == [
                "kept: it is the first version", "goes: it is older than 30 days",
                "kept: the file was deleted less than 1 year ago",
            ])
        let later = now.advanced(by: .seconds(266 * day))
        #expect(policy.kept(versions, now: later).isEmpty)
        #expect(policy.kept(versions, now: now.advanced(by: .seconds(264 * day))).count == 2)
    }

    @Test("of too many versions those go that differ little and stand close together")
    func value() throws {
        let policy = try RetentionPolicy(
            parsing: #"{"ladder":[{"keep":"all"}],"collapse":null,"max_versions":5}"#)
        let ages = [100 * day, 90 * day, 80 * day, 80 * day - 3600, 70 * day, 60 * day, 0]
        var versions = Versions.made(secondsAgo: ages)
        versions[4].content = Versions.content(99, size: 50_000)
        let gone = policy.decide(versions, now: now).filter { !$0.verdict.isKept }
        // First the one that has another an hour beside it, then the other that only leaves a gap among its like.
        #expect(gone.map(\.version.revision.number) == [2, 3])
        #expect(gone.allSatisfy { $0.verdict == .go(.overLimit(5)) })
    }

    @Test("known differences count for more than sizes")
    func ownBytes() throws {
        let policy = try RetentionPolicy(
            parsing: #"{"ladder":[{"keep":"all"}],"collapse":null,"max_versions":null}"#)
        var versions = Versions.made(secondsAgo: [100 * day, 75 * day, 50 * day, 25 * day, 2 * hour])
        for index in versions.indices { versions[index].ownBytes = 10 }
        versions[1].ownBytes = 1000
        let left = policy.keptNumbers(versions, freeing: 15)
        #expect(left == [1, 2, 5])
    }

    @Test("a clock that was set back harms nothing")
    func clockSetBack() {
        var versions = Versions.made(secondsAgo: [10 * day, 9 * day, 8 * day, 0])
        versions[2].time = now.advanced(by: .seconds(5 * day))
        let kept = RetentionPolicy.standard.kept(versions)
        #expect(kept.count == 4)
        #expect(RetentionPolicy.standard.decide([], now: now).isEmpty)
    }

    @Test("10,000 versions of one file are decided upon quickly, limit and all")
    func many() throws {
        let ages = (0..<10_000 as Range<Int64>).map { (10_000 - $0) * 5000 }
        let versions = Versions.made(secondsAgo: ages)
        let policy = try RetentionPolicy(parsing: #"{"ladder":[{"keep":"all"}],"max_versions":100}"#)
        #expect(policy.kept(versions).count == 100)
    }
}
