import Metadata
import Synchronization

/// A database whose writes a test can precede with something of its own, or cut off: before they happen, or when they have
/// happened and only the answer is lost.
final class HookedDatabase: MetadataDatabase {
    struct Killed: Error {}

    private struct State {
        var writes = 0
        var killedAt: Int?
        var isDoneFirst = false
        var before: (@Sendable (any MetadataConnection) throws -> Void)?
        var skipped = 0
    }

    private let base: any MetadataDatabase
    private let state = Mutex(State())

    init(_ base: any MetadataDatabase) {
        self.base = base
    }

    var writes: Int { state.withLock { $0.writes } }

    /// Cuts off the write of this number, counted from now on.
    func kill(at number: Int, isDoneFirst: Bool) {
        state.withLock { $0 = State(killedAt: number, isDoneFirst: isDoneFirst) }
    }

    /// Runs a body in a transaction of its own before the next write, or before one after it.
    func setBefore(skipping count: Int = 0, _ body: (@Sendable (any MetadataConnection) throws -> Void)?) {
        state.withLock { state in
            state.before = body
            state.skipped = count
        }
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        try await base.read(body)
    }

    @discardableResult
    func write<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        let (isKilled, isDoneFirst, before) = state.withLock { state in
            state.writes += 1
            let isKilled = state.writes == state.killedAt
            let isSkipped = state.skipped > 0
            let before = isSkipped ? nil : state.before
            if isSkipped { state.skipped -= 1 } else { state.before = nil }
            return (isKilled, state.isDoneFirst, before)
        }
        if let before { try await base.write(before) }
        if isKilled, !isDoneFirst { throw Killed() }
        let answer = try await base.write(body)
        if isKilled { throw Killed() }
        return answer
    }

    func close() async throws { try await base.close() }
}
