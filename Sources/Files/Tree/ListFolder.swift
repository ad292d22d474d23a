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

    /// The entries of a folder behind `after`, at most `limit` of them (1 to 10,000), as they are or as they were at some
    /// point.
    /// - Throws: ``FilesError``: `notFound` for no such folder, `conflict` for what is no folder, `invalidRequest` for a
    ///   revision that is to come.
    public func callAsFunction(
        _ path: RemotePath, at point: PastPoint? = nil, after: NodeName? = nil, limit: Int = 1000,
        in namespace: NamespaceID, by principal: Principal
    ) async throws -> Page {
        try PageLimit.check(limit)
        guard context.cache.isUseful else {
            return try await read(path, at: point, after: after, limit: limit, in: namespace, by: principal)
        }
        let place = try await place(of: point, in: namespace, by: principal)
        let pages = FolderPages(cache: context.cache)
        return try await pages.page(.init(path: path, after: after, limit: limit), at: place) {
            try await read(
                path, at: .revision(place.revision), after: after, limit: limit, in: namespace, by: principal)
        }
    }

    /// The commit that is listed.
    private func place(
        of point: PastPoint?, in namespace: NamespaceID, by principal: Principal
    ) async throws -> Head {
        try await context.database.read { connection in
            let head = try Access.head(connection, namespace, principal)
            let wanted = try point?.revision(in: namespace, connection) ?? head.revision
            if wanted == head.revision { return head }
            if let commit = try CommitQueries(connection).commit(wanted, in: namespace) { return commit.head }
            return Head(namespace: namespace, revision: wanted, hash: .origin)
        }
    }

    private func read(
        _ path: RemotePath, at point: PastPoint?, after: NodeName?, limit: Int, in namespace: NamespaceID,
        by principal: Principal
    ) async throws -> Page {
        try await context.database.read { connection in
            let head = try Access.head(connection, namespace, principal)
            let wanted = try point?.revision(in: namespace, connection)
            // The head has the better indexes.
            let past = wanted == head.revision ? nil : wanted
            // One more than asked for tells whether there is a next page.
            let entries = try NodeQueries(connection).children(
                of: try Self.folder(path, at: past, in: namespace, connection), in: namespace, after: after,
                limit: limit + 1, at: past)
            let page = Array(entries.prefix(limit))
            return Page(
                revision: wanted ?? head.revision, entries: page,
                next: entries.count > limit ? page.last?.state.name : nil)
        }
    }

    private static func folder(
        _ path: RemotePath, at revision: Revision?, in namespace: NamespaceID, _ connection: any MetadataConnection
    ) throws -> NodeID {
        guard !path.names.isEmpty else { return .root }
        guard let record = try NodeQueries(connection).resolve(path, in: namespace, at: revision) else {
            let time = revision.map { " at revision \($0)" } ?? ""
            throw FilesError(.notFound, "there is nothing at \(path)\(time)")
        }
        guard record.state.payload.isFolder else { throw FilesError(.conflict, "\(path) is not a folder") }
        return record.node
    }
}
