public import Metadata
public import Model

/// Tells what changed in a namespace since a cursor, in pages.
public struct ListChanges: Sendable {
    private let context: FilesContext

    /// One page.
    public struct Page: Hashable, Sendable {
        /// The namespace at the end of the interval.
        public let head: Head
        /// The changes.
        public let slice: ChangesSlice
    }

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// The changes after `since`, at most `limit` of them (1 to 10,000), from behind `after` on, where the page before
    /// ended.
    ///
    /// `upTo` is the end of the interval, nil for the head: all pages of a walk name the same, which the first one told.
    /// - Throws: ``FilesError``: `notFound`; `invalidRequest` for bounds that can't be; `conflict` when the namespace
    ///   never reached `since`, as after a restore of an older backup.
    public func callAsFunction(
        in namespace: NamespaceID, since: Revision, upTo: Revision? = nil, after: ChangePosition? = nil, limit: Int,
        by principal: Principal
    ) async throws -> Page {
        try PageLimit.check(limit)
        return try await context.database.read { connection in
            let newest = try Access.head(connection, namespace, principal)
            let head = try Self.head(upTo, newest, connection)
            guard since <= newest.revision else {
                throw FilesError(
                    .conflict, "revision \(since) is ahead of the namespace, which is at \(newest.revision)")
            }
            let slice = try NodeQueries(connection).changes(
                in: namespace, since: min(since, head.revision), upTo: head.revision, after: after, limit: limit)
            return Page(head: head, slice: slice)
        }
    }

    private static func head(_ upTo: Revision?, _ newest: Head, _ connection: any MetadataConnection) throws -> Head {
        guard let upTo, upTo != newest.revision else { return newest }
        if upTo == .zero { return Head(namespace: newest.namespace, revision: .zero, hash: .origin) }
        guard upTo < newest.revision,
            let commit = try CommitQueries(connection).commit(upTo, in: newest.namespace)
        else { throw FilesError(.invalidRequest, "the namespace has no revision \(upTo)") }
        return commit.head
    }
}
