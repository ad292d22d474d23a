import BusConformance
import Messaging
import Testing

/// The contract of a change bus, kept by every bus.
@Suite(.timeLimit(.minutes(1))) struct ConformanceTests {
    @Test("the bus within one process keeps the contract", arguments: BusConformance.checks)
    func inProcess(check: BusConformance.Check) async throws {
        try await check.run {
            let bus = InProcessChangeBus()
            return BusConformance.Wires(ends: [bus, bus], interrupt: { bus.leaveGap() }, close: {})
        }
    }

    @Test("the bus over a socket keeps the contract", arguments: BusConformance.checks)
    func socket(check: BusConformance.Check) async throws {
        try await check.run { try await SocketWires.open() }
    }

    @Test("a bus that loses a message without a gap is found out")
    func lossy() async throws {
        let check = try #require(BusConformance.checks.first { $0.description.hasPrefix("across an interruption") })
        await #expect(throws: BusConformanceFailure.self) {
            try await check.run {
                let lossy = LossyBus()
                return BusConformance.Wires(
                    ends: [lossy.whole, lossy], interrupt: { lossy.loseOne() }, close: {})
            }
        }
    }
}
