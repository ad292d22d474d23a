import NotificationConformance
import NotificationReactor
import Testing

/// The reactor does what every driver does: on one thread, and on several with file tables of their own.
@Suite struct ReactorConformanceTests {
    private static let all = PollConformance.checks + PollConformance.borderChecks

    @Test("the reactor does what every driver does", .timeLimit(.minutes(1)), arguments: all)
    func oneThread(check: PollConformance.Check) async throws {
        try await check.run { desk in try ReactorPollDriver(desk) }
    }

    @Test("threads with files of their own do what every driver does", .timeLimit(.minutes(1)), arguments: all)
    func threads(check: PollConformance.Check) async throws {
        try await check.run { desk in
            try ReactorPollDriver(desk) { configuration in
                configuration.threads = 3
                configuration.capacity = 600
                configuration.files = 400
            }
        }
    }
}
