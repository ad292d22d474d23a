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

    /// Runs a body in a transaction of its own before the next write.
    func setBefore(_ body: (@Sendable (any MetadataConnection) throws -> Void)?) {
        state.withLock { $0.before = body }
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        try await base.read(body)
    }

    @discardableResult
    func write<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        let (isKilled, isDoneFirst, before) = state.withLock { state in
            state.writes += 1
            defer { state.before = nil }
            return (state.writes == state.killedAt, state.isDoneFirst, state.before)
        }
        if let before { try await base.write(before) }
        if isKilled, !isDoneFirst { throw Killed() }
        let answer = try await base.write(body)
        if isKilled { throw Killed() }
        return answer
    }

    func close() async throws { try await base.close() }
}
