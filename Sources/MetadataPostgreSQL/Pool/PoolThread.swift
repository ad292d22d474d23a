import Foundation
import Metadata

/// One thread of the pool, with the connection that it owns.
struct PoolThread {
    /// How often a call is tried again after others were in its way. After a few times it is tried while no other write runs,
    /// so that more of them mean that it never gets to be alone.
    static let mostConflicts = 20
    /// How often a call is tried again after its connection was lost.
    static let mostLosses = 8

    private let queue: CallQueue
    private let string: ConnectionString
    private let settings: PostgreSQLSettings
    private var session: ServerSession?
    private var backOff: BackOff

    private init(number: Int, _ queue: CallQueue, _ string: ConnectionString, _ settings: PostgreSQLSettings) {
        self.queue = queue
        self.string = string
        self.settings = settings
        backOff = BackOff(seed: UInt64(number + 1) &* 0x9e37_79b9_7f4a_7c15)
    }

    /// Starts a thread that works until the queue is closed and empty.
    static func start(
        number: Int, _ queue: CallQueue, _ string: ConnectionString, _ settings: PostgreSQLSettings
    ) {
        let thread = Thread {
            var work = PoolThread(number: number, queue, string, settings)
            while let call = queue.take() { work.handle(call) }
            work.session = nil
            queue.threadEnded()
        }
        thread.name = "cairn-pg-\(number)"
        thread.stackSize = 2 << 20
        thread.start()
    }

    private mutating func handle(_ call: any PoolCall) {
        let wasRepeated = call.conflicts > 0
        let comesBack = !answer(call)
        queue.end(call, wasRepeated: wasRepeated, comesBack: comesBack)
    }

    /// Tries a call until it has its answer.
    /// - Returns: false when others were in its way: then it has to wait for its turn.
    private mutating func answer(_ call: any PoolCall) -> Bool {
        var losses = 0
        while true {
            let session: ServerSession
            do { session = try connected(until: call.deadline) } catch {
                call.fail(error)
                return true
            }
            let attempt = session.attempt(call)
            if session.isBroken { self.session = nil }
            switch attempt {
            case .answered: return true
            case .needsSavepoints: call.usesSavepoints = true
            case .conflict(let error):
                call.conflicts += 1
                guard call.conflicts > Self.mostConflicts || ContinuousClock.now > call.deadline else { return false }
                call.fail(error)
                return true
            case .lost(let cause):
                losses += 1
                guard losses > Self.mostLosses || ContinuousClock.now > call.deadline else { continue }
                call.fail(unavailable(cause))
                return true
            }
        }
    }

    /// The connection, made anew when it is gone.
    /// - Throws: ``MetadataError`` `unavailable` when no server takes writes until the deadline, or until the pool is
    ///   closed; `incompatible` when the server can't be used.
    private mutating func connected(until deadline: ContinuousClock.Instant) throws -> ServerSession {
        if let session, session.isUsable() { return session }
        session = nil
        while true {
            do {
                let fresh = try ServerSession(string, settings)
                backOff.reset()
                session = fresh
                return fresh
            } catch let lost as LinkLost {
                let pause = backOff.next()
                guard ContinuousClock.now + pause < deadline, !queue.isClosed else { throw unavailable(lost.cause) }
                queue.pause(for: pause)
            }
        }
    }

    private func unavailable(_ cause: String) -> MetadataError {
        MetadataError(.unavailable, "the database \(string.description) can't be reached", cause: cause)
    }
}
