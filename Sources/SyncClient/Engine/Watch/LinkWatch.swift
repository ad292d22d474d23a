import Blocks
import Model
import ServiceLifecycle
import Synchronization

/// Keeps one link in sync until it is stopped: passes over what changed here and there.
struct LinkWatch: Service {
    let engine: LinkEngine
    let context: EngineContext
    let inbox: WatchInbox
    let report: @Sendable (WatchEvent) -> Void

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await watchFolder() }
                group.addTask { try await passes() }
                // The first to end ends both: the inbox is closed when we are to stop.
                try await group.next()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            inbox.close()
        }
    }

    /// Hands what the kernel tells to the inbox; begins anew when the folder comes back after it was gone.
    private func watchFolder() async throws {
        while !inbox.isClosed, !Task.isCancelled {
            do {
                let link = try await context.onWorker { try context.database.link(engine.link) }
                let watcher = try await context.onWorker { try Watcher(try LinkedFolder(link.record)) }
                report(.watching(folder: engine.folder))
                inbox.onClose { watcher.stop() }
                for await batch in watcher {
                    if let problem = batch.problem { report(.problem(folder: engine.folder, problem.message)) }
                    inbox.note(batch)
                }
            } catch let error as ClientError {
                report(.problem(folder: engine.folder, error.message))
                // The pass notes the problem where `status` finds it.
                inbox.note(WatchBatch(isEverything: true))
            }
            if inbox.isClosed { return }
            try await Task.sleep(for: .seconds(5))
        }
    }

    private func passes() async throws {
        while let options = await inbox.nextPass() {
            do {
                let (outcome, result) = try await engine.pass(options)
                inbox.noteSuccess(outcome)
                report(.pass(folder: engine.folder, result))
            } catch let error as ClientError {
                inbox.noteFailure(options)
                report(.problem(folder: engine.folder, error.message))
                if error.code.isFinal { throw error }
            }
        }
    }
}

extension ClientError.Code {
    /// Whether trying again can't help before a person has done something.
    var isFinal: Bool { self == .unauthorized || self == .notLoggedIn || self == .stateTooNew }
}

/// Where causes for a pass gather. Whoever waits for the next pass is woken when one is due.
final class WatchInbox: Sendable {
    private struct State {
        var schedule: WatchSchedule
        var isClosed = false
        var closing: [@Sendable () -> Void] = []
    }

    private let start = ContinuousClock.now
    private let random = SecureRandom()
    private let state: Mutex<State>
    private let signals: AsyncStream<Void>
    private let bell: AsyncStream<Void>.Continuation

    init() {
        state = Mutex(State(schedule: WatchSchedule(now: .zero)))
        (signals, bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    private var now: Duration { ContinuousClock.now - start }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func note(_ batch: WatchBatch) { change { $0.note(batch) } }

    func noteNews() { change { $0.noteNews() } }

    func noteLostServer() { change { $0.noteLostServer() } }

    func noteSuccess(_ outcome: PassOutcome) { change { $0.noteSuccess(outcome, now: now) } }

    func noteFailure(_ options: PassOptions) {
        change { schedule in
            var generator = random
            schedule.noteFailure(options, now: now, using: &generator)
        }
    }

    private func change(_ body: (inout WatchSchedule) -> Void) {
        state.withLock { body(&$0.schedule) }
        bell.yield()
    }

    /// Has a body called when the inbox is closed; at once when it is.
    func onClose(_ body: @escaping @Sendable () -> Void) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.closing.append(body) }
            return state.isClosed
        }
        if isClosed { body() }
    }

    func close() {
        let closing = state.withLock { state in
            state.isClosed = true
            defer { state.closing = [] }
            return state.closing
        }
        for body in closing { body() }
        bell.finish()
    }

    /// Waits until a pass is due.
    /// - Returns: What it is to do; nil when the inbox is closed.
    func nextPass() async -> PassOptions? {
        while !isClosed, !Task.isCancelled {
            let wait = state.withLock { $0.schedule.due(now: now) } - now
            if wait <= .zero { return state.withLock { $0.schedule.begin(now: now) } }
            await waitForBell(atMost: wait)
        }
        return nil
    }

    private func waitForBell(atMost wait: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [signals] in
                for await _ in signals { return }
            }
            group.addTask { try? await Task.sleep(for: wait) }
            await group.next()
            group.cancelAll()
        }
    }
}
