public import Model
public import ServiceLifecycle
import Synchronization

/// The driver of those who wait in a task for the end of a poll: the API's own route.
///
/// As a service it runs the desk that it parks at. Where the desk is a service of its own, this is none.
public final class NotificationService: Service {
    private enum Waiter {
        case coming
        case waiting(CheckedContinuation<PollAnswer, Never>)
        case answered(PollAnswer)
    }

    private struct State {
        var issued: UInt64 = 0
        var waiters: [UInt64: Waiter] = [:]
    }

    /// Where the polls are parked.
    public let desk: PollDesk
    private let waiting: Waiting
    private let driver: DriverID

    /// Makes a driver of a desk.
    public init(desk: PollDesk) {
        let waiting = Waiting()
        self.desk = desk
        self.waiting = waiting
        driver = desk.register { waiting.settle($0) }
    }

    /// How many polls are parked at the desk now, those of other drivers included.
    public var parkedCount: Int { desk.parkedCount }

    /// Whether a poll of a device is parked here now.
    public func isParked(_ device: DeviceID) -> Bool { desk.isParked(device) }

    /// Answers when one of the namespaces moves past its cursor, at once when one has already, or when the time is over.
    /// Cancelling the task ends the poll.
    ///
    /// - Parameters:
    ///   - cursors: how far the device has seen each namespace. That it may see them is for the caller to know.
    ///   - device: who asks; an earlier poll of it ends.
    ///   - timeout: how long to wait at most, in seconds; 0 looks and does not wait.
    /// - Returns: How the poll ended.
    /// - Throws: ``PollError``.
    public func poll(cursors: [Cursor], device: DeviceID, timeout: UInt32) async throws(PollError) -> PollAnswer {
        let owner = waiting.expect()
        let ticket: PollTicket
        do throws(PollError) {
            ticket = try desk.park(driver: driver, device: device, cursors: cursors, timeout: timeout, owner: owner)
        } catch {
            waiting.forget(owner)
            throw error
        }
        return await withTaskCancellationHandler {
            await waiting.answer(of: owner)
        } onCancel: { [desk] in
            desk.disconnect(ticket)
        }
    }

    /// Ends every poll of the desk now, and from now on each new one at once.
    public func drain() {
        desk.drainWave(.max)
    }

    /// Runs the desk: until the server stops; then the polls are answered in waves.
    public func run() async throws {
        try await desk.run()
    }

    /// The tasks that wait, by the owner of their poll.
    private final class Waiting: Sendable {
        private let state = Mutex(State())

        func expect() -> UInt64 {
            state.withLock { state in
                state.issued += 1
                state.waiters[state.issued] = .coming
                return state.issued
            }
        }

        func forget(_ owner: UInt64) {
            state.withLock { _ = $0.waiters.removeValue(forKey: owner) }
        }

        func answer(of owner: UInt64) async -> PollAnswer {
            await withCheckedContinuation { continuation in
                let ready: PollAnswer? = state.withLock { state in
                    if case .answered(let answer) = state.waiters[owner] {
                        state.waiters[owner] = nil
                        return answer
                    }
                    state.waiters[owner] = .waiting(continuation)
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        }

        /// Hands out answers; the continuations are resumed outside of the lock.
        func settle(_ ended: [NotificationHub.Ended]) {
            let resumed = state.withLock { state in
                ended.compactMap { end -> (CheckedContinuation<PollAnswer, Never>, PollAnswer)? in
                    guard let waiter = state.waiters[end.owner] else { return nil }
                    if case .waiting(let continuation) = waiter {
                        state.waiters[end.owner] = nil
                        return (continuation, end.answer)
                    }
                    state.waiters[end.owner] = .answered(end.answer)
                    return nil
                }
            }
            for (continuation, answer) in resumed { continuation.resume(returning: answer) }
        }
    }
}
