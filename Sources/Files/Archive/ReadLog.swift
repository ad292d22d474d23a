import Metadata
import Model
import Synchronization

/// Remembers which blocks were read, until that is noted in the database in one go: a read never waits for a write.
///
/// It is bounded, and what is in it is lost when the process dies: a block that is thought unread for longer than it is
/// goes to the archive a little early, and comes back when it is asked for.
final class ReadLog: Sendable {
    private let capacity: Int
    private let state = Mutex<[AccountID: Set<BlockID>]>([:])

    init(capacity: Int) {
        self.capacity = capacity
    }

    func note(_ blocks: some Collection<StoredBlock>, of account: AccountID) {
        state.withLock { state in
            let room = capacity - state.values.reduce(0) { $0 + $1.count }
            guard room > 0 else { return }
            state[account, default: []].formUnion(blocks.prefix(room).map(\.id))
        }
    }

    func take() -> [AccountID: Set<BlockID>] {
        state.withLock { state in
            defer { state = [:] }
            return state
        }
    }
}

/// Notes in the database which blocks were read today.
public struct NoteReads: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    private static let atOnce = 1000

    /// Notes what was read since the last time. A block that was noted today already costs a look.
    /// - Returns: how many blocks were read.
    @discardableResult
    public func callAsFunction() async throws -> Int {
        guard let archive = context.archive else { return 0 }
        let today = Day(context.clock.now())
        var total = 0
        for (account, blocks) in archive.reads.take() {
            let ids = Array(blocks)
            for start in stride(from: 0, to: ids.count, by: Self.atOnce) {
                let part = Array(ids[start..<min(start + Self.atOnce, ids.count)])
                try await context.database.write {
                    try ArchiveQueries($0).noteReads(part, account: account, on: today)
                }
            }
            total += ids.count
        }
        return total
    }
}
