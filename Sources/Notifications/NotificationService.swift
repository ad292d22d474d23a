public import Messaging
public import Model
public import ServiceLifecycle
import Synchronization

/// Parks the polls of devices and answers them when a namespace that they follow has news.
///
/// As a service it moves the time on, and when the server stops it answers every poll, so that no connection holds up
/// the stop.
public final class NotificationService: Service {
    private enum Waiter {
        case coming
        case waiting(CheckedContinuation<PollAnswer, Never>)
        case answered(PollAnswer)
    }

    private struct State {
        var hub: NotificationHub
        var waiters: [PollTicket: Waiter] = [:]

        /// Hands out answers; the continuations are to be resumed outside of the lock.
        mutating func settle(_ ended: [NotificationHub.Ended]) -> [@Sendable () -> Void] {
            ended.compactMap { end in
                guard let waiter = waiters[end.ticket] else { return nil }
                if case .waiting(let continuation) = waiter {
                    waiters[end.ticket] = nil
                    return { continuation.resume(returning: end.answer) }
                }
                waiters[end.ticket] = .answered(end.answer)
                return nil
            }
        }
    }

    private let state: Mutex<State>
    private let start = ContinuousClock.now
    private let subscription = Mutex<BusSubscription?>(nil)

    /// Makes a service that hears of changes on `bus`, and parks at most `capacity` polls at once.
    public init(bus: any ChangeBus, capacity: Int = 100_000) {
        state = Mutex(State(hub: NotificationHub(capacity: capacity)))
        let subscribed = bus.subscribe { [weak self] event in self?.receive(event) }
        subscription.withLock { $0 = subscribed }
    }

    /// How many polls are parked now.
    public var parkedCount: Int { state.withLock { $0.hub.count } }

    /// Whether a poll of a device is parked here now.
    public func isParked(_ device: DeviceID) -> Bool { state.withLock { $0.hub.isParked(device) } }

    /// Answers when one of the namespaces moves past its cursor, at once when one has already, or when the time is over.
    /// Cancelling the task ends the poll.
    ///
    /// - Parameters:
    ///   - cursors: how far the device has seen each namespace.
    ///   - device: who asks; an earlier poll of it ends.
    ///   - timeout: how long to wait at most, in whole seconds; 0 looks and does not wait.
    ///   - heads: reads the heads of the namespaces; it is called once the poll is parked, and must read no older
    ///     state than the newest that is durable when it is called.
    /// - Returns: How the poll ended.
    /// - Throws: ``PollError``, and what `heads` throws.
    public func poll(
        cursors: [Cursor], device: DeviceID, timeout: UInt64, heads: () async throws -> [Cursor]
    ) async throws -> PollAnswer {
        let ticket = try park(cursors: cursors, device: device, timeout: timeout)
        do {
            let current = try await heads()
            step { $0.compare(ticket, heads: current) }
        } catch {
            step { $0.disconnect(ticket) }
            state.withLock { _ = $0.waiters.removeValue(forKey: ticket) }
            throw error
        }
        if timeout == 0 { step { $0.expire(ticket) } }
        return await withTaskCancellationHandler {
            await answer(of: ticket)
        } onCancel: {
            step { $0.disconnect(ticket) }
        }
    }

    /// Moves the time to `elapsed` since the service was made, and ends the polls whose time is over.
    package func advance(to elapsed: Duration) {
        let second = UInt64(max(0, elapsed.components.seconds))
        step { $0.advance(to: second) }
    }

    /// Moves the time on until the server stops, then answers every poll.
    public func run() async throws {
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown { [self] in
                while !Task.isCancelled {
                    advance(to: ContinuousClock.now - start)
                    try? await Task.sleep(for: .seconds(1))
                }
            }
        } onGracefulShutdown: { [self] in
            drain()
        }
        drain()
    }

    /// Ends every poll, and from now on each new one at once.
    public func drain() {
        step { $0.drain() }
    }

    private func park(cursors: [Cursor], device: DeviceID, timeout: UInt64) throws -> PollTicket {
        let (ticket, resume) = try state.withLock { state in
            let (ticket, ended) = try state.hub.park(device: device, cursors: cursors, timeout: timeout)
            state.waiters[ticket] = .coming
            return (ticket, state.settle(ended))
        }
        for resume in resume { resume() }
        return ticket
    }

    private func answer(of ticket: PollTicket) async -> PollAnswer {
        await withCheckedContinuation { continuation in
            let ready: PollAnswer? = state.withLock { state in
                if case .answered(let answer) = state.waiters[ticket] {
                    state.waiters[ticket] = nil
                    return answer
                }
                state.waiters[ticket] = .waiting(continuation)
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }

    private func receive(_ event: BusEvent) {
        step { $0.receive(event) }
    }

    private func step(_ transition: (inout NotificationHub) -> [NotificationHub.Ended]) {
        let resume = state.withLock { state in
            let ended = transition(&state.hub)
            return state.settle(ended)
        }
        for resume in resume { resume() }
    }
}
