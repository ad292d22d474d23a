import Model
import TestSupport
import Testing

@testable import Notifications

@Suite("The admission of polls")
struct PollAdmissionTests {
    private func admission(rate: Double = 1000) -> PollAdmission {
        PollAdmission(places: 100, most: 50_000, patience: .seconds(10), rate: rate)
    }

    private func refusal(_ admission: PollAdmission, waiting: Int, _ device: UInt64) -> UInt32? {
        let decision = admission.decide(waiting: waiting, device: DeviceID(high: 1, low: device), turn: 0)
        guard case .refused(let seconds) = decision else { return nil }
        return seconds
    }

    @Test("who finds a place is in, who may expect one soon waits, the others are sent away")
    func decisions() {
        let admission = admission()
        let device = Polling.device(1)
        #expect(admission.decide(waiting: 0, device: device, turn: 0) == .now)
        #expect(admission.decide(waiting: 99, device: device, turn: 0) == .now)
        #expect(admission.decide(waiting: 100, device: device, turn: 0) == .queued)
        #expect(admission.decide(waiting: 9_999, device: device, turn: 0) == .queued)
        #expect(refusal(admission, waiting: 10_000, 1) != nil)
    }

    @Test("the faster the reading, the more may wait, up to the most")
    func limits() {
        #expect(admission(rate: 20).limit == 200)
        #expect(admission(rate: 5).limit == 100, "there are always the places")
        #expect(admission(rate: 1e9).limit == 50_000)
    }

    @Test("who is sent away comes back after the wait that was to be expected, and before twice that")
    func spread() {
        let admission = admission()
        var random = SeededGenerator(seed: 1)
        let seconds = (0..<1000).compactMap { _ in refusal(admission, waiting: 20_000, random.next()) }
        #expect(seconds.count == 1000)
        #expect(seconds.allSatisfy { (20...40).contains($0) })
        for second in 21...40 as ClosedRange<UInt32> {
            #expect(seconds.filter { $0 == second }.count > 20, "\(second) s")
        }
    }

    @Test("a device that comes again is sent elsewhere within the spread")
    func turns() {
        let device = DeviceID(high: 1, low: 5)
        let decisions = (0..<50 as Range<UInt64>).map {
            admission().decide(waiting: 20_000, device: device, turn: $0)
        }
        #expect(Set(decisions).count > 10)
    }

    @Test("nobody is sent away for less than a second, nor for ever")
    func bounds() {
        #expect((1...2).contains(refusal(admission(rate: 1e9), waiting: 50_000, 3) ?? 0))
        let longest = UInt32(PollAdmission.longest)
        #expect((longest...(2 * longest)).contains(refusal(admission(rate: 20), waiting: 50_000_000, 3) ?? 0))
    }

    @Test("what is measured is believed little by little, and failures quickly")
    func measurements() {
        var admission = admission(rate: 1000)
        admission.measured(heads: 500, in: .milliseconds(100), readers: 2)
        #expect(admission.rate == 1000 + (10_000 - 1000) / 8)
        for _ in 0..<100 { admission.measured(heads: 500, in: .milliseconds(100), readers: 2) }
        #expect((9_900...10_000).contains(admission.rate))
        admission.failed()
        #expect((4_900...5_000).contains(admission.rate))
        for _ in 0..<100 { admission.failed() }
        #expect(admission.rate == 20, "a try now and then goes on")
        admission.measured(heads: 500, in: .zero, readers: 2)
        #expect(admission.rate.isFinite)
    }
}
