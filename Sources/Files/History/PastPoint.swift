import Metadata
public import Model

/// A state of a namespace in the past, as people name it.
public enum PastPoint: Hashable, Sendable {
    /// The state of a revision; 0 is the empty namespace.
    case revision(Revision)
    /// The state of a moment: that of the last commit at the moment or before.
    case time(Timestamp)

    /// The revision that is meant.
    /// - Throws: ``FilesError`` `invalidRequest` for a revision that is not there yet.
    func revision(in namespace: NamespaceID, _ connection: any MetadataConnection) throws -> Revision {
        switch self {
        case .time(let time): return try CommitQueries(connection).revision(at: time, in: namespace)
        case .revision(let revision):
            guard let head = try NamespaceQueries(connection).head(of: namespace), revision <= head.revision else {
                throw FilesError(.invalidRequest, "there is no revision \(revision) yet")
            }
            return revision
        }
    }
}

extension FilesError {
    /// The error of a version whose bytes were given up. It names the versions next to it that are kept.
    static func notKept(
        _ version: NodeVersion, at path: RemotePath, in namespace: NamespaceID, _ connection: any MetadataConnection
    ) throws -> FilesError {
        let record = version.record
        let kept = try VersionQueries(connection).keptVersions(
            around: record.revision, of: record.node, in: namespace)
        let nearest = [kept.before, kept.after].compactMap { $0.map(\.description) }
        let hint =
            nearest.isEmpty
            ? "no other version of it is kept either"
            : "the nearest kept ones are of revision \(nearest.joined(separator: " and "))"
        return FilesError(
            .versionNotKept, "the version of \(path) of revision \(record.revision) is not kept; \(hint)")
    }
}
