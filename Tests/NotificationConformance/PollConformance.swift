public import Notifications
public import Testing

/// What every driver of a desk has to do. A driver's test runs all ``checks``, each on a desk and a driver of its own:
///
///     @Test("what every driver does", .timeLimit(.minutes(1)), arguments: PollConformance.checks)
///     func conformance(check: PollConformance.Check) async throws {
///         try await check.run { desk in try await MyDriver(desk) }
///     }
public struct PollConformance: Sendable {
    /// Starts a driver over a desk. The suite makes the desk, with its bus, heads and time, and runs its reading.
    public typealias Factory = @Sendable (PollDesk) async throws -> any PollDriver

    /// One thing that has to be so.
    public struct Check: Sendable, CustomTestStringConvertible {
        /// What has to be so, as a sentence.
        public let testDescription: String
        let limits: PollLimits
        let body: @Sendable (PollWorld) async throws -> Void

        init(
            _ sentence: String, limits: PollLimits = PollLimits(),
            _ body: @escaping @Sendable (PollWorld) async throws -> Void
        ) {
            testDescription = sentence
            self.limits = limits
            self.body = body
        }

        /// Runs the check on a fresh desk and driver. It hangs where a driver never answers: give the test a time limit.
        public func run(_ make: Factory) async throws {
            let (journal, bus) = (PollJournal(), LossyChangeBus())
            let desk = PollDesk(bus: bus, limits: limits, clock: ImmediateClock()) {
                try journal.heads(of: $0)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await desk.readHeads() }
                let driver = try await make(desk)
                do {
                    try await body(PollWorld(journal: journal, bus: bus, desk: desk, driver: driver))
                } catch {
                    desk.drainWave(.max)
                    try await driver.stop()
                    throw error
                }
                desk.drainWave(.max)
                try await driver.stop()
                group.cancelAll()
            }
        }
    }

    /// All checks that hold for every driver.
    public static let checks: [Check] = answerChecks + endChecks + crowdChecks

    /// Checks for drivers that are themselves the border: they know by its token what a device may see.
    public static let borderChecks: [Check] = [
        Check("a device that names what it may not see is turned away, and is not parked") { world in
            let device = try await world.device(1)
            await world.commit(2)
            let reply = try await world.poll(device, [1: 0, 2: 0]).reply()
            #expect(reply == .forbidden)
            #expect(world.desk.statistics.admitted == 0)
        }
    ]
}
