import Blocks
import Model
import Synchronization

/// What every phase of the engine works with.
struct EngineContext: Sendable {
    let database: ClientDatabase
    let server: any SyncServer
    /// Threads for the disk, the database and the processor's work.
    let workers: WorkerPool
    let clock: any WallClock
    /// The name of this device, for the names of conflicting copies.
    let device: String
    let progress: ProgressBoard
    /// Where ids and jitter come from.
    var random = SecureRandom()
    let counter = PassCounter()
    var limits = EngineLimits()
    /// Called between two steps, from which a killed process would come back; tests throw here.
    var step: @Sendable (EngineStep) throws -> Void = { _ in try Task.checkCancellation() }

    /// Runs a body on a worker thread: for all that waits for the disk.
    func onWorker<Answer: Sendable>(_ body: @escaping @Sendable () throws -> Answer) async throws -> Answer {
        try await workers.run { _ in try body() }
    }
}

/// The places at which the engine may be stopped, or killed, and goes on later.
enum EngineStep: String, Hashable, Sendable, CaseIterable {
    case remoteFetched, scanned, read, planned, identitiesNoted
    case uploadNoted, uploadAnnounced, windowSent, blocksSent, committed, commitSettled
    case blocksFetched, fileStaged, stepApplied, planSettled
}
