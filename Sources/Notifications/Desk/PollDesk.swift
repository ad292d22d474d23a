public import Messaging
public import Model
public import ServiceLifecycle
import Synchronization

/// Where drivers park polls: one hub for all drivers of a process, with what it needs around it. It hears the bus, reads
/// heads in batches, moves the time on, and hands each driver the ends of its polls.
///
/// All methods may be called on any thread, and none but the asynchronous ones waits.
public final class PollDesk: Service {
    /// What a driver does with the ends of its polls.
    ///
    /// It is called outside of the desk's lock, on any thread, one call at a time for each driver, in the order in which
    /// the polls ended. It must not block; it may call the desk. It may be called before ``PollDesk/park(driver:device:cursors:timeout:owner:)``
    /// has returned the ticket of a poll that it is about: tell polls apart by their owner.
    public typealias Delivery = @Sendable ([NotificationHub.Ended]) -> Void

    /// Reads the heads of namespaces, no older than what is durable when it is called. A namespace that it leaves out does
    /// not exist.
    public typealias HeadReader = @Sendable ([NamespaceID]) async throws -> [Cursor]

    /// Reads which devices were revoked lately: all those whose tokens might still be believed without a look into the
    /// database.
    public typealias RevocationReader = @Sendable () async throws -> [DeviceID]

    let limits: PollLimits
    let clock: any Clock<Duration>
    let heads: HeadReader
    let revocations: RevocationReader
    let bells: DeskBells
    let state: Mutex<DeskState>
    private let subscription = Mutex<BusSubscription?>(nil)

    /// Makes a desk without drivers that hears of changes on a bus from now on.
    ///
    /// - Parameters:
    ///   - bus: where changes and revocations are told.
    ///   - limits: how much the desk holds, and how it reads and stops.
    ///   - clock: what pauses and seconds are measured by.
    ///   - revocations: read when the service begins, and again whenever news went missing.
    ///   - heads: reads heads, at most ``PollLimits/batch`` in one call, ``PollLimits/readers`` calls at a time.
    public init(
        bus: any ChangeBus, limits: PollLimits = PollLimits(), clock: any Clock<Duration> = ContinuousClock(),
        revocations: @escaping RevocationReader = { [] }, heads: @escaping HeadReader
    ) {
        self.limits = limits
        self.clock = clock
        self.heads = heads
        self.revocations = revocations
        bells = DeskBells(readers: limits.readers)
        state = Mutex(DeskState(limits: limits))
        let subscribed = bus.subscribe { [weak self] event in
            self?.step { $0.hub.receive(event, into: &$0.ended) }
        }
        subscription.withLock { $0 = subscribed }
    }

    /// How many polls are parked now.
    public var parkedCount: Int { state.withLock { $0.hub.count } }

    /// The counts and sizes of now, for metrics.
    public var statistics: PollStatistics { state.withLock { $0.current } }

    /// Adds a driver, for as long as the desk lives; there may be 255.
    public func register(_ deliver: @escaping Delivery) -> DriverID {
        state.withLock { $0.register(deliver) }
    }

    /// Parks a poll until it ends. Its end is told to the driver by its delivery, whatever it is; when the answer is known
    /// now, possibly before this returns. A device has one poll: an earlier one of it ends as replaced, at whichever
    /// driver.
    ///
    /// - Parameters:
    ///   - driver: who parks it.
    ///   - device: who polls.
    ///   - cursors: how far the device has seen each namespace. That it may see them is for the driver to know.
    ///   - timeout: how long to wait at most, in seconds; 0 looks and does not wait.
    ///   - owner: what the driver knows the poll by, below 2^56; it comes back with the end of the poll.
    /// - Returns: The name of the poll.
    /// - Throws: ``PollError``. Then the poll is not parked, and nothing is delivered for it.
    @discardableResult
    public func park(
        driver: DriverID, device: DeviceID, cursors: [Cursor], timeout: UInt32, owner: UInt64
    ) throws(PollError) -> PollTicket {
        let owner = DeskState.mark(owner, with: driver)
        let outcome = step { state in
            state.park(device: device, cursors: cursors, timeout: timeout, owner: owner)
        }
        return try outcome.get()
    }

    /// Ends a poll whose connection is gone. It is delivered as disconnected, unless it has ended already.
    public func disconnect(_ ticket: PollTicket) {
        step { $0.hub.disconnect(ticket, into: &$0.ended) }
    }

    /// Whether a device was revoked lately, as far as the bus and the reader of revocations told.
    public func isRevoked(_ device: DeviceID) -> Bool {
        state.withLock { $0.hub.isRevoked(device) }
    }

    /// Whether a poll of a device is parked now, at whichever driver.
    public func isParked(_ device: DeviceID) -> Bool {
        state.withLock { $0.hub.isParked(device) }
    }

    /// Moves the time to `second`, counted from when the service began, and ends the polls whose time is over. The service
    /// does this by itself; who does not run it does it by hand.
    public func advance(to second: UInt64) {
        step { $0.hub.advance(to: second, into: &$0.ended) }
    }

    /// Ends up to `size` polls because the server stops. From the first call on, polls that come end at once.
    /// - Returns: How many polls are left.
    @discardableResult
    public func drainWave(_ size: Int) -> Int {
        step { state in
            state.hub.drain(atMost: size, into: &state.ended)
            return state.hub.count
        }
    }

    /// Ends all polls in waves with a pause after each, so that the devices do not reach other servers all at once. When the
    /// task is cancelled it goes on without pauses.
    public func drain() async {
        let size = max(limits.wave, parkedCount / max(1, limits.waves) + 1)
        while drainWave(size) > 0 { await rest(limits.pause) }
    }

    /// Waits; a cancelled task does not.
    func rest(_ duration: Duration) async {
        // What ends the wait early is the task's cancellation, which those who wait look for themselves.
        try? await clock.sleep(for: duration)
    }

    /// Takes a step of the state under the lock; then, outside of it, delivers what ended and rings for the readers.
    @discardableResult
    func step<Result: Sendable>(_ body: (inout DeskState) -> Result) -> Result {
        let (result, errands) = state.withLock { state in
            let result = body(&state)
            return (result, state.errands())
        }
        if let reader = errands.reader { bells.ring(reader) }
        if errands.hasGap { bells.ringForGap() }
        for delivery in errands.deliveries { carryOut(delivery) }
        return result
    }

    /// Delivers to a driver until nothing is left for it. Meanwhile nobody else delivers to it: so it hears of its polls in
    /// the order in which they ended.
    private func carryOut(_ delivery: DeskState.DeliveryErrand) {
        var ended = delivery.ended
        while !ended.isEmpty {
            delivery.deliver(ended)
            ended = state.withLock { $0.takeOutbox(of: delivery.driver) }
        }
    }
}
