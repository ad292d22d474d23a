public import Messaging
public import Model
public import ServiceLifecycle
import Synchronization

/// Where drivers park polls: one hub for all drivers of a process, with what it needs around it. It hears the bus, reads heads
/// in batches, moves the time on, and hands each driver the ends of its polls.
///
/// All methods may be called on any thread; none waits for a read.
public final class PollDesk: Service {
    /// What a driver does with the ends of its polls.
    ///
    /// It is called outside of the desk's lock, on any thread, one call at a time for each driver, in the order in which the polls ended. It
    /// must not block. It may be called before ``park(driver:device:cursors:timeout:owner:)`` has returned the ticket
    /// of a poll that it is about: tell polls apart by `owner`. It may call the desk.
    public typealias Delivery = @Sendable ([NotificationHub.Ended]) -> Void

    /// Reads the heads of namespaces, as durable now or later; what it leaves out does not exist.
    public typealias HeadReader = @Sendable ([NamespaceID]) async throws -> [Cursor]

    /// Reads which devices were revoked lately: all whose tokens could still be believed without asking the database.
    public typealias RevocationReader = @Sendable () async throws -> [DeviceID]

    /// Makes a desk without drivers that hears of changes on `bus` from now on.
    ///
    /// - Parameters:
    ///   - bus: where changes and revocations are told.
    ///   - limits: how much the desk holds, and how it reads and stops.
    ///   - revocations: read when the service begins, and again whenever news went missing.
    ///   - heads: reads heads, at most ``PollLimits/batch`` in one call, ``PollLimits/readers`` calls at a time.
    public init(
        bus: any ChangeBus, limits: PollLimits = PollLimits(),
        revocations: @escaping RevocationReader = { [] }, heads: @escaping HeadReader
    ) { preconditionFailure() }

    /// How many polls are parked now.
    public var parkedCount: Int { preconditionFailure() }

    /// The counts and sizes of now, for metrics.
    public var statistics: PollStatistics { preconditionFailure() }

    /// Adds a driver for as long as the desk lives; at most 255 may be added.
    public func register(_ deliver: @escaping Delivery) -> DriverID { preconditionFailure() }

    /// Parks a poll until it ends. Its end is told to the driver by its delivery, whatever it is; when the answer is known now, it may
    /// be before this returns. A device has one poll: an earlier one of it ends as replaced, at whichever driver.
    ///
    /// - Parameters:
    ///   - driver: who parks it.
    ///   - device: who polls.
    ///   - cursors: how far the device has seen each namespace. The driver answers for it that the device may see them.
    ///   - timeout: how long to wait at most, in seconds; 0 looks and does not wait.
    ///   - owner: what the driver knows the poll by, below 2^56; it comes back with the end of the poll.
    /// - Throws: ``PollError``; the poll is not parked then, and nothing is delivered for it.
    @discardableResult
    public func park(
        driver: DriverID, device: DeviceID, cursors: [Cursor], timeout: UInt32, owner: UInt64
    ) throws(PollError) -> PollTicket { preconditionFailure() }

    /// Ends a poll whose connection is gone; it is delivered as disconnected unless it has ended already.
    public func disconnect(_ ticket: PollTicket) { preconditionFailure() }

    /// Whether a device was revoked lately, as far as the bus and the reader of revocations told.
    public func isRevoked(_ device: DeviceID) -> Bool { preconditionFailure() }

    /// Moves the time to `second`, counted from the making of the desk, and ends the polls whose time is over. The service does
    /// this by itself; tests that do not run its clock do it by hand.
    public func advance(to second: UInt64) { preconditionFailure() }

    /// Ends up to `size` polls because the server stops; from the first call on each new poll ends at once.
    /// - Returns: How many polls are left.
    public func drainWave(_ size: Int) -> Int { preconditionFailure() }

    /// Ends all polls in waves, with a pause after each, so that the devices do not reach other servers all at once.
    public func drain() async { preconditionFailure() }

    /// Reads heads and moves the time on until the server stops, then ends all polls in waves. To be run once.
    public func run() async throws { preconditionFailure() }

    /// Reads heads until the task is cancelled: ``run()`` without the clock, for tests that move the time by hand.
    public func readHeads() async { preconditionFailure() }
}
