public import Notifications
public import Testing

/// What every driver of a desk has to do. A driver's test runs all ``checks``, each on a desk and a driver of its own:
///
///     @Test(arguments: PollConformance.checks)
///     func keeps(_ check: PollConformance.Check) async throws {
///         try await check.run { desk in try await MyDriver(desk) }
///     }
public struct PollConformance: Sendable {
    /// Starts a driver over a desk. The suite makes the desk, with its bus, heads and time, and runs its reading.
    public typealias Factory = @Sendable (PollDesk) async throws -> any PollDriver

    /// One thing that has to be so.
    public struct Check: Sendable, CustomTestStringConvertible {
        /// What has to be so, as a sentence.
        public let testDescription: String

        /// Runs the check on a fresh desk and driver.
        public func run(_ make: Factory) async throws {}
    }

    /// All checks that hold for every driver.
    public static let checks: [Check] = []

    /// Checks for drivers that are themselves the border: they know by its token what a device may see.
    public static let borderChecks: [Check] = []
}
