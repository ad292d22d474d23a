import Metadata
import Model

/// Keeps blocks hot for somebody who will not be able to send them again, until there was time to name them.
struct KeepBlocks: Sendable {
    private let context: FilesContext

    init(_ context: FilesContext) { self.context = context }

    /// Longer than anybody takes to write one file.
    private static let span = Duration.seconds(7 * 86_400)

    /// Keeps those that lie hot. One that goes to the archive in between is found missing by whoever notes the blocks.
    func keep(_ present: Set<BlockID>, account: AccountID) async throws {
        guard context.archive != nil, !present.isEmpty else { return }
        let day = Day(context.clock.now().advanced(by: Self.span))
        try await context.database.write { connection in
            try ArchiveQueries(connection).keep(Array(present), account: account, until: day)
        }
    }
}
