import Metadata
import Model

/// Keeps blocks hot for somebody who will not be able to send them again, until there was time to name them.
struct KeepBlocks: Sendable {
    private let context: FilesContext

    init(_ context: FilesContext) { self.context = context }

    /// Longer than anybody takes to write one file.
    private static let span = Duration.seconds(7 * 86_400)

    /// Keeps blocks that lay hot when they were looked up.
    /// - Returns: those of them that do not any more.
    func keep(_ present: Set<BlockID>, account: AccountID) async throws -> [BlockID] {
        guard context.archive != nil, !present.isEmpty else { return [] }
        let (ids, day) = (Array(present), Day(context.clock.now().advanced(by: Self.span)))
        return try await context.database.write { connection in
            try ArchiveQueries(connection).keep(ids, account: account, until: day)
            return try BlockQueries(connection).missing(ids, account: account)
        }
    }
}
