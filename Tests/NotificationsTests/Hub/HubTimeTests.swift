import Messaging
import Model
import Testing

@testable import Notifications

@Suite("Time and the end of the hub")
struct HubTimeTests {
    private let hub = NotificationHub.Box(NotificationHub(capacity: 100))

    private func park(_ device: UInt64, timeout: UInt32) throws -> PollTicket {
        var ended: [NotificationHub.Ended] = []
        return try hub.hub.park(
            device: Polling.device(device), cursors: [Polling.cursor(1, at: 0)], timeout: timeout, owner: device,
            into: &ended)
    }

    private func advance(to second: UInt64) -> [UInt64] {
        hub.step { $0.advance(to: second, into: &$1) }.map(\.owner)
    }

    @Test("a poll ends when its time is over, never before, in the order of the deadlines")
    func timeouts() throws {
        _ = advance(to: 1000)
        _ = try park(1, timeout: 60)
        _ = try park(2, timeout: 10)
        _ = try park(3, timeout: 20)
        #expect(advance(to: 1010).isEmpty)
        #expect(advance(to: 1011) == [2])
        #expect(advance(to: 1_000_000) == [3, 1])
        #expect(advance(to: 5).isEmpty, "time does not go back")
    }

    @Test("a poll may wait for longer than the wheel takes to turn")
    func longPolls() throws {
        let turn = UInt64(NotificationHub.wheelSize)
        _ = try park(1, timeout: UInt32(3 * turn))
        for second in stride(from: turn / 2, through: 3 * turn, by: 100) { #expect(advance(to: second).isEmpty) }
        #expect(advance(to: 3 * turn).isEmpty)
        #expect(advance(to: 3 * turn + 1) == [1])
    }

    @Test("a machine that slept for long ends exactly what is over")
    func longSleep() throws {
        _ = try park(1, timeout: 50_000)
        _ = try park(2, timeout: 30_000)
        _ = try park(3, timeout: .max)
        #expect(advance(to: 40_000) == [2])
        #expect(advance(to: 50_000).isEmpty)
        #expect(advance(to: 50_001) == [1])
        #expect(advance(to: UInt64(UInt32.max) + 10) == [3])
    }

    @Test("the seconds may be those of any year")
    func lateStart() throws {
        let start = (UInt64(1) << 32) - 5
        _ = advance(to: start)
        _ = try park(1, timeout: 10)
        #expect(advance(to: start + 10).isEmpty)
        #expect(advance(to: start + 11) == [1])
    }

    @Test("draining ends the polls in waves, each once, and those that come at once")
    func drain() throws {
        for device in 1...10 { _ = try park(UInt64(device), timeout: 60) }
        var seen: Set<UInt64> = []
        for wave in [4, 4, 2] {
            let ended = hub.step { $0.drain(atMost: 4, into: &$1) }
            #expect(ended.count == wave)
            #expect(ended.allSatisfy { $0.answer == .closing })
            seen.formUnion(ended.map(\.owner))
            var late: [NotificationHub.Ended] = []
            _ = try hub.hub.park(
                device: Polling.device(50), cursors: [Polling.cursor(1, at: 0)], timeout: 60, owner: 50, into: &late)
            #expect(late.map(\.answer) == [.closing])
        }
        #expect(seen == Set(1...10))
        #expect(hub.count == 0)
        #expect(hub.step { $0.drain(atMost: 4, into: &$1) }.isEmpty)
    }

    @Test("a poll takes no more than 150 bytes, with its namespace shared by three")
    func bytes() throws {
        let polls = 60_000
        let hub = NotificationHub.Box(NotificationHub(capacity: polls))
        let empty = hub.bytesInUse
        var ended: [NotificationHub.Ended] = []
        for number in 0..<UInt64(polls) {
            _ = try hub.hub.park(
                device: Polling.device(number), cursors: [Polling.cursor(number / 3, at: 1)],
                timeout: 60 + UInt32(number % 500), owner: number, into: &ended)
        }
        #expect(hub.namespaceCount == polls / 3)
        #expect(hub.bytesInUse / polls <= 110)
        #expect(hub.step { $0.advance(to: 1000, into: &$1) }.count == polls)
        #expect(hub.bytesInUse == empty)
    }
}
