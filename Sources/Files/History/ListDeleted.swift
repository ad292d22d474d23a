public import Metadata
public import Model

/// Tells what was removed from a folder, at any depth.
public struct ListDeleted: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Something that is gone.
    public struct Entry: Hashable, Sendable {
        /// Where it was at last.
        public let path: RemotePath
        /// The node, as it was at last.
        public let record: NodeRecord
        /// Whether its bytes are kept.
        public let isKept: Bool
        /// The revision that removed it.
        public let revision: Revision
        /// When that was.
        public let time: Timestamp?
        /// The device that removed it.
        public let device: DeviceID?
        /// What people call the device.
        public let deviceName: String?
    }

    /// A page of what is gone, the newest removal first.
    public struct Page: Hashable, Sendable {
        /// What is gone.
        public let entries: [Entry]
        /// Where to go on; nil at the end. It may be there although the page is not full.
        public let next: ChangePosition?
    }

    /// How many versions one page looks at.
    private static let mostVersions = 20_000

    /// What was removed from below a folder, which may be gone itself, at most `limit` entries (1 to 10,000).
    ///
    /// What went together with the folder around it is not named by itself, unless that is the folder asked for.
    /// - Throws: ``FilesError``: `notFound` when there was never anything at the path.
    public func callAsFunction(
        _ folder: RemotePath, after: ChangePosition? = nil, limit: Int = 1000, in namespace: NamespaceID,
        by principal: Principal
    ) async throws -> Page {
        try PageLimit.check(limit)
        return try await context.database.read { connection in
            try Access.check(connection, namespace, principal)
            var search = try DeletionSearch(connection, namespace, below: folder)
            var found: [(path: RemotePath, deletion: Deletion)] = []
            var (position, looked) = (after, 0)
            repeat {
                let slice = try VersionQueries(connection).deletions(in: namespace, after: position, limit: 1000)
                looked += 1000
                position = slice.next
                for deletion in slice.entries {
                    guard let path = try search.path(of: deletion) else { continue }
                    found.append((path, deletion))
                    if found.count == limit {
                        position = ChangePosition(revision: deletion.revision, node: deletion.version.record.node)
                        break
                    }
                }
            } while position != nil && found.count < limit && looked < Self.mostVersions
            return Page(entries: try Self.entries(found, namespace, connection), next: position)
        }
    }

    private static func entries(
        _ found: [(path: RemotePath, deletion: Deletion)], _ namespace: NamespaceID,
        _ connection: any MetadataConnection
    ) throws -> [Entry] {
        let commits = try CommitQueries(connection).commits(
            of: Array(Set(found.map { $0.deletion.revision })), in: namespace)
        var names: [DeviceID: String] = [:]
        for device in Set(commits.values.map(\.device)) {
            names[device] = try DeviceQueries(connection).byID(device)?.name
        }
        return found.map { path, deletion in
            let commit = commits[deletion.revision]
            return Entry(
                path: path, record: deletion.version.record, isKept: deletion.version.isKept,
                revision: deletion.revision, time: commit?.time, device: commit?.device,
                deviceName: commit.flatMap { names[$0.device] })
        }
    }
}

/// Decides which deletions a listing names.
private struct DeletionSearch {
    private let connection: any MetadataConnection
    private let namespace: NamespaceID
    private let roots: Set<NodeID>
    private var scope: ScopeSearch
    /// The paths of folders at revisions; nil for those that are not below the root of the listing.
    private var known: [ChangePosition: RemotePath?] = [:]

    init(_ connection: any MetadataConnection, _ namespace: NamespaceID, below folder: RemotePath) throws {
        self.connection = connection
        self.namespace = namespace
        roots =
            folder.names.isEmpty
            ? [.root] : Set(try VersionQueries(connection).holders(of: folder, in: namespace).map(\.node))
        if roots.isEmpty { throw FilesError(.notFound, "there was never anything at \(folder)") }
        scope = ScopeSearch(connection, namespace, below: folder.names.isEmpty ? nil : roots)
    }

    /// Where it was, if it is to be named.
    mutating func path(of deletion: Deletion) throws -> RemotePath? {
        let state = deletion.version.record.state
        let before = deletion.revision.earlier
        let key = ChangePosition(revision: deletion.revision, node: state.parent)
        if let folder = known[key] { return folder?.appending(state.name) }
        var folder: RemotePath?
        let isAsked = roots.contains(state.parent)
        // What went with its folder is named by the folder.
        let stays =
            try state.parent == .root || isAsked
            || NodeQueries(connection).node(state.parent, in: namespace, at: deletion.revision) != nil
        if stays, try isAsked || scope.contains(state.parent, at: before) {
            folder = try VersionQueries(connection).path(of: state.parent, in: namespace, at: before)
        }
        known[key] = .some(folder)
        return folder?.appending(state.name)
    }
}
