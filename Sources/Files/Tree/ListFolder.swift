import Metadata
public import Model

/// Tells what is in a folder.
public struct ListFolder: Sendable {
    private let context: FilesContext

    /// A page of a folder.
    public struct Page: Hashable, Sendable {
        /// The revision that was listed.
        public let revision: Revision
        /// The entries by name.
        public let entries: [NodeRecord]
        /// The name after which the next page begins; nil at the end.
        public let next: NodeName?
    }

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// The entries of a folder behind `after`, at most `limit` of them (1 to 10,000).
    /// - Throws: ``FilesError``: `notFound` for no such folder, `conflict` for what is no folder.
    public func callAsFunction(
        _ path: RemotePath, after: NodeName? = nil, limit: Int = 1000, in namespace: NamespaceID,
        by principal: Principal
    ) async throws -> Page {
        guard (1...10_000).contains(limit) else {
            throw FilesError(.invalidRequest, "a page has 1 to 10000 entries, not \(limit)")
        }
        return try await context.database.read { connection in
            try Access.check(connection, namespace, principal)
            guard let head = try NamespaceQueries(connection).head(of: namespace) else {
                throw FilesError(.notFound, "there is no namespace \(namespace)")
            }
            let tree = TreeLookup(connection: connection, namespace: namespace)
            if !path.names.isEmpty, try tree.node(path) == nil {
                throw FilesError(.notFound, "there is nothing at \(path)")
            }
            // One more than asked for tells whether there is a next page.
            let entries = try NodeQueries(connection).children(
                of: try tree.folder(path), in: namespace, after: after, limit: limit + 1)
            let page = Array(entries.prefix(limit))
            return Page(
                revision: head.revision, entries: page,
                next: entries.count > limit ? page.last?.state.name : nil)
        }
    }
}
