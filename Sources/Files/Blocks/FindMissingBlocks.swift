import Metadata
public import Model

/// Tells which blocks an account does not have where they can be read at once. No account can learn what another has.
public struct FindMissingBlocks: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Those of `ids` that the caller's account lacks, in the order asked, each once.
    public func callAsFunction(_ ids: [BlockID], by principal: Principal) async throws -> [BlockID] {
        try await context.database.read { try BlockQueries($0).missing(ids, account: principal.account) }
    }
}
