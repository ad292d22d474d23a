import Metadata
import Model

/// Tells which blocks an account lacks to somebody who will not be able to send the others again: those stay hot until
/// there was time to name them.
struct KeepBlocks: Sendable {
    private let context: FilesContext

    init(_ context: FilesContext) { self.context = context }

    /// Longer than anybody takes to write one file.
    private static let span = Duration.seconds(7 * 86_400)

    /// Those of `ids` that the account lacks, in the order asked, each once.
    func missing(_ ids: [BlockID], account: AccountID) async throws -> [BlockID] {
        let missing = try await context.database.read { try BlockQueries($0).missing(ids, account: account) }
        let present = Array(Set(ids).subtracting(missing))
        guard context.archive != nil, !present.isEmpty else { return missing }
        let day = Day(context.clock.now().advanced(by: Self.span))
        return try await context.database.write { connection in
            try ArchiveQueries(connection).keep(present, account: account, until: day)
            // Some may have gone between the look and now.
            return try BlockQueries(connection).missing(ids, account: account)
        }
    }
}
