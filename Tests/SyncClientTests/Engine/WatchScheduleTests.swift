import Model
import TestSupport
import Testing

@testable import SyncClient

@Suite("When a watched folder is looked at")
struct WatchScheduleTests {
    private let folder = LocalPath(bytes: Array("docs".utf8))

    private func started() -> WatchSchedule {
        var schedule = WatchSchedule(now: .zero)
        schedule.note(WatchBatch(isEverything: true))
        _ = schedule.begin(now: .zero)
        schedule.noteSuccess(PassOutcome(), now: .zero)
        return schedule
    }

    @Test("the first pass looks at everything, makes sure of the history and clears up; it waits for the watches")
    func first() {
        var schedule = WatchSchedule(now: .zero)
        #expect(schedule.due(now: .zero) == WatchSchedule.fullPeriod)
        schedule.note(WatchBatch(isEverything: true))
        #expect(schedule.due(now: .seconds(1)) == .seconds(1))
        let options = schedule.begin(now: .seconds(1))
        #expect(options.scope == .full && options.fetches && options.verifiesHistory && options.recovers)
    }

    @Test("what thaws on the server is tried again when it is ready, unless something else makes a pass due before")
    func thawing() {
        var schedule = started()
        var outcome = PassOutcome()
        outcome.retryAfter = .seconds(600)
        schedule.noteNews()
        _ = schedule.begin(now: .seconds(10))
        schedule.noteSuccess(outcome, now: .seconds(12))
        #expect(schedule.due(now: .seconds(12)) == .seconds(612))
        schedule.noteNews()
        #expect(schedule.due(now: .seconds(20)) == .seconds(20))
        _ = schedule.begin(now: .seconds(20))
        schedule.noteSuccess(PassOutcome(), now: .seconds(21))
        #expect(schedule.due(now: .seconds(21)) == WatchSchedule.fullPeriod, "nothing thaws any more")
        outcome.retryAfter = .zero
        schedule.noteSuccess(outcome, now: .seconds(30))
        #expect(schedule.due(now: .seconds(30)) == .seconds(31), "never in a circle")
    }

    @Test("an edit makes a pass due at once, over its folder only, without asking the server for news first")
    func edit() {
        var schedule = started()
        schedule.note(WatchBatch(folders: [folder]))
        #expect(schedule.due(now: .seconds(5)) == .seconds(5))
        let options = schedule.begin(now: .seconds(5))
        #expect(options.scope == .folders([folder]))
        #expect(!options.fetches && !options.verifiesHistory && !options.recovers)
        schedule.noteSuccess(PassOutcome(), now: .seconds(5))
        #expect(schedule.due(now: .seconds(5)) == WatchSchedule.fullPeriod)
    }

    @Test("news make a pass due that fetches and scans nothing")
    func news() {
        var schedule = started()
        schedule.noteNews()
        let options = schedule.begin(now: .seconds(5))
        #expect(options.scope == .folders([]) && options.fetches)
    }

    @Test("what waits for room on the server is tried again now and then, not all the time")
    func fullAccount() {
        var schedule = started()
        var outcome = PassOutcome()
        outcome.problems = [Problem(path: folder, code: .overQuota, message: "the account is full")]
        schedule.note(WatchBatch(folders: [folder]))
        _ = schedule.begin(now: .seconds(5))
        schedule.noteSuccess(outcome, now: .seconds(5))
        #expect(schedule.due(now: .seconds(6)) == .seconds(5) + WatchSchedule.fullAccountPeriod)
        let options = schedule.begin(now: .seconds(605))
        #expect(options.scope == .full)
        schedule.noteSuccess(PassOutcome(), now: .seconds(606))
        #expect(schedule.due(now: .seconds(606)) == .seconds(605) + WatchSchedule.fullPeriod)
    }

    @Test("everything is looked at once an hour")
    func periodic() {
        var schedule = started()
        let due = schedule.due(now: .seconds(10))
        #expect(schedule.begin(now: due).scope == .full)
        schedule.noteSuccess(PassOutcome(), now: due)
        #expect(schedule.due(now: due) == due + WatchSchedule.fullPeriod)
    }

    @Test("failures wait longer and longer, up to a minute, and lose nothing of what was due")
    func failures() {
        var schedule = started()
        var generator = SeededGenerator(seed: 1)
        var now = Duration.seconds(1)
        schedule.note(WatchBatch(folders: [folder]))
        var waits: [Duration] = []
        for _ in 0..<20 {
            let options = schedule.begin(now: now)
            #expect(options.scope == .folders([folder]))
            schedule.noteFailure(options, now: now, using: &generator)
            let due = schedule.due(now: now)
            waits.append(due - now)
            now = due
        }
        #expect(waits.allSatisfy { $0 > .zero && $0 <= .seconds(60) })
        #expect(waits[0] < .seconds(1))
        #expect(waits.suffix(5).allSatisfy { $0 >= .seconds(15) })
        #expect(schedule.begin(now: now).verifiesHistory)
    }

    @Test("what was noted while a pass ran is for the next one, at once, whatever else is restless")
    func meanwhile() {
        var schedule = started()
        schedule.note(WatchBatch(folders: [folder]))
        _ = schedule.begin(now: .seconds(1))
        let other = LocalPath(bytes: Array("other".utf8))
        schedule.note(WatchBatch(folders: [other]))
        schedule.noteSuccess(restless, now: .seconds(2))
        #expect(schedule.due(now: .seconds(2)) == .seconds(2))
        #expect(schedule.begin(now: .seconds(2)).scope == .folders([other]))
        schedule.noteSuccess(PassOutcome(), now: .seconds(2))
        #expect(schedule.due(now: .seconds(2)) == .milliseconds(2_050))
        #expect(schedule.begin(now: .milliseconds(2_050)).scope == .folders([folder]))
    }

    @Test("a file that stays restless is looked at again after 50 ms, then after longer and longer, up to a second")
    func restlessFile() {
        var schedule = started()
        var now = Duration.seconds(1)
        var waits: [Duration] = []
        schedule.note(WatchBatch(folders: [folder]))
        for _ in 0..<8 {
            #expect(schedule.begin(now: now).scope == .folders([folder]))
            schedule.noteSuccess(restless, now: now)
            let due = schedule.due(now: now)
            waits.append(due - now)
            now = due
        }
        #expect(waits.prefix(3) == [.milliseconds(50), .milliseconds(100), .milliseconds(200)])
        #expect(waits.suffix(3).allSatisfy { $0 == .seconds(1) })
        // Once it has come to rest, the next one begins anew.
        _ = schedule.begin(now: now)
        schedule.noteSuccess(PassOutcome(), now: now)
        #expect(schedule.due(now: now) == WatchSchedule.fullPeriod)
        schedule.note(WatchBatch(folders: [folder]))
        _ = schedule.begin(now: now)
        schedule.noteSuccess(restless, now: now)
        #expect(schedule.due(now: now) == now + .milliseconds(50))
    }

    @Test("a look at everything takes the restless folders along, and a failure does not lose them")
    func restlessMeetsOthers() {
        var schedule = started()
        schedule.note(WatchBatch(folders: [folder]))
        _ = schedule.begin(now: .seconds(1))
        schedule.noteSuccess(restless, now: .seconds(1))
        var generator = SeededGenerator(seed: 1)
        let options = schedule.begin(now: .milliseconds(1_050))
        schedule.noteFailure(options, now: .milliseconds(1_050), using: &generator)
        let due = schedule.due(now: .milliseconds(1_050))
        #expect(schedule.begin(now: due).scope == .folders([folder]))
        schedule.noteSuccess(restless, now: due)
        schedule.note(WatchBatch(isEverything: true))
        #expect(schedule.begin(now: due).scope == .full)
        schedule.noteSuccess(PassOutcome(), now: due)
        #expect(schedule.due(now: due) >= .seconds(3_600))
    }

    private var restless: PassOutcome {
        var outcome = PassOutcome()
        outcome.dirty = [folder]
        return outcome
    }

    @Test("a server that was lost is asked for its history when it is back")
    func lostServer() {
        var schedule = started()
        schedule.noteLostServer()
        let options = schedule.begin(now: .seconds(1))
        #expect(options.fetches && options.verifiesHistory)
    }
}
