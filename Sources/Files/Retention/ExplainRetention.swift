public import Metadata
public import Model
public import Retention

/// Tells what would go, and why, and changes nothing.
public struct ExplainRetention: Sendable {
    private let database: any MetadataDatabase
    private let clock: any WallClock

    /// A file and what becomes of its versions.
    public struct File: Sendable {
        /// Where it is, or was at last.
        public let path: RemotePath
        /// What becomes of its versions.
        public let verdicts: FileVerdicts
    }

    /// Makes the use case.
    public init(database: any MetadataDatabase, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Hands out the files at or below a path that have past versions, one after the other; one batch of them is in memory.
    ///
    /// Deleted files belong to the folder that they were in at last.
    /// - Parameters:
    ///   - account: the name of the account; its home is looked at.
    ///   - path: a file or a folder that is there.
    ///   - policy: what to take in the place of the policies that were set; nil for those.
    ///   - body: takes a file.
    /// - Throws: ``FilesError`` `notFound` for the account or the path, and what `body` throws.
    public func callAsFunction(
        _ account: String, path: RemotePath = .root, policy: RetentionPolicy? = nil, body: (File) throws -> Void
    ) async throws {
        let now = clock.now()
        let (target, walk) = try await database.read { connection in
            let target = try AccountPath(connection, account: account, path: path)
            let rules = try RetentionRules(
                connection, target.namespace, of: target.account.id, override: policy)
            return (target, RetentionWalk(namespace: target.namespace, rules: rules, now: now))
        }
        if target.isFile {
            let found = try await database.read { try walk.file(target.node, $0) }
            if let found { try body(File(path: path, verdicts: found)) }
            return
        }
        var after: NodeID?
        repeat {
            let start = after
            let (files, last) = try await database.read { connection -> ([File], NodeID?) in
                let batch = try walk.batch(connection, after: start)
                var places = PlaceLookup(connection, walk.namespace)
                let files = try batch.files.compactMap { verdicts -> File? in
                    guard try target.contains(verdicts.parent, &places) else { return nil }
                    return File(path: try places.path(in: verdicts.parent, verdicts.name), verdicts: verdicts)
                }
                return (files, batch.last)
            }
            for file in files { try body(file) }
            after = last
        } while after != nil
    }
}

/// What an account's name and a path name.
struct AccountPath: Sendable {
    let account: AccountRecord
    let namespace: NamespaceID
    /// The node; the root for the root.
    let node: NodeID
    let isFile: Bool

    /// Finds it in the account's home.
    /// - Throws: ``FilesError`` `notFound`.
    init(_ connection: any MetadataConnection, account name: String, path: RemotePath) throws {
        account = try Self.account(connection, name)
        namespace = account.home
        guard !path.names.isEmpty else {
            (node, isFile) = (.root, false)
            return
        }
        guard let record = try NodeQueries(connection).resolve(path, in: namespace) else {
            throw FilesError(.notFound, "there is nothing at \(path)")
        }
        (node, isFile) = (record.node, !record.state.payload.isFolder)
    }

    /// The account of a name.
    /// - Throws: ``FilesError`` `notFound`.
    static func account(_ connection: any MetadataConnection, _ name: String) throws -> AccountRecord {
        guard let account = try AccountQueries(connection).byName(name) else {
            throw FilesError(.notFound, "there is no account '\(name)'")
        }
        return account
    }

    /// Whether what lies in a folder lies below this one.
    func contains(_ folder: NodeID, _ places: inout PlaceLookup) throws -> Bool {
        try node == .root || places.ancestors(from: folder).contains(node)
    }
}
