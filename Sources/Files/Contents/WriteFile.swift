public import Blocks
import Logging
import Metadata
public import Model

/// What a whole-file write asks for besides the bytes.
public struct WriteOptions: Hashable, Sendable {
    /// What must hold of the file that is there.
    public var preconditions = Preconditions()
    /// When the bytes were last written; nil for the moment of the commit.
    public var modified: Timestamp?
    /// Whether missing folders around the file are made.
    public var createParents = false
    /// How many bytes will come, where that is known.
    public var size: UInt64?

    /// Makes options that ask for nothing.
    public init() {}
}

/// What a write did.
public struct WrittenFile: Hashable, Sendable {
    /// The head with the file.
    public let head: Head
    /// The file's content.
    public let content: Content
    /// Whether there was no file before.
    public let isNew: Bool
}

/// Writes a file as a whole, for clients that know nothing of blocks: the server cuts it.
public struct WriteFile: Sendable {
    private let context: FilesContext
    private let completion: any UploadCompletion
    private let chunker: Chunker

    /// Makes the use case; `completion` is told of uploads that waited for a block that came this way.
    public init(_ context: FilesContext, completion: any UploadCompletion, chunker: Chunker = Chunker()) {
        self.context = context
        self.completion = completion
        self.chunker = chunker
    }

    /// Takes the bytes and commits the file.
    ///
    /// A file that is longer than a window is announced as on its way first. The conditions are looked at before the
    /// bytes are taken, and decided upon in the commit.
    /// - Throws: ``FilesError``: `conflict` for a missing folder or a path that is no file, `preconditionFailed`,
    ///   `quotaExceeded`; and what `body`, the store and the database throw.
    public func callAsFunction(
        _ path: RemotePath, body: some AsyncSequence<[UInt8], any Error>, options: WriteOptions = WriteOptions(),
        in namespace: NamespaceID, by principal: Principal
    ) async throws -> WrittenFile {
        guard let name = path.name else { throw FilesError(.conflict, "/ is a folder") }
        let plan = FilePlan(
            path: path, name: name, options: options, now: context.clock.now(), namespace: namespace,
            spare: path.names.map { _ in context.randomness.identifier() })
        try await context.database.read { connection in
            try Access.check(connection, namespace, principal)
            _ = try plan.changes(connection, content: .empty)
        }
        let upload: UploadID = context.randomness.identifier()
        var announcement = WriteAnnouncement(context: context, upload: upload, principal: principal, plan: plan)
        do {
            var intake = FileIntake(context, account: principal.account, name: name, chunker: chunker)
            for try await bytes in body {
                intake.append(bytes)
                guard intake.isFull else { continue }
                try await announcement.announce(received: intake.received)
                try await intake.flush(atEnd: false)
            }
            let content = try await intake.finish()
            let written = try await commit(plan, content, upload, announcement, principal)
            for other in intake.settled { await completion.completeInPassing(other, log: context.log) }
            return written
        } catch {
            await announcement.withdraw()
            throw error
        }
    }

    private func commit(
        _ plan: FilePlan, _ content: Content, _ upload: UploadID, _ announcement: WriteAnnouncement,
        _ principal: Principal
    ) async throws -> WrittenFile {
        let isNew = try await context.database.read { connection in
            try TreeLookup(connection: connection, namespace: plan.namespace).node(plan.path) == nil
        }
        let tree = TreeCommit(
            context: context, namespace: plan.namespace, principal: principal, path: plan.path)
        let isAnnounced = announcement.isMade
        let head = try await tree.run(upload: upload) { connection in
            let changes = try plan.changes(connection, content: content)
            if isAnnounced {
                try UploadQueries(connection).byID(upload)?.ensurePending()
                try UploadQueries(connection).setState(upload, .uploaded)
            }
            return changes
        }
        return WrittenFile(head: head, content: content, isNew: isNew)
    }
}

/// Where a file goes, worked out by the tree as it is when the file is committed.
struct FilePlan: Sendable {
    let path: RemotePath
    let name: NodeName
    let options: WriteOptions
    let now: Timestamp
    let namespace: NamespaceID
    /// Ids for new nodes, one for each name of the path.
    let spare: [NodeID]

    func changes(_ connection: any MetadataConnection, content: Content) throws -> [NodeChange] {
        let tree = TreeLookup(connection: connection, namespace: namespace)
        let parent = path.parent ?? .root
        let existing = try tree.node(path)
        try options.preconditions.check(existing?.state.payload.content, path)
        if let existing {
            guard existing.state.payload.content != nil else { throw FilesError(.conflict, "\(path) is not a file") }
            var state = existing.state
            state.payload = .file(content)
            state.modified = options.modified ?? now
            return [NodeChange(node: existing.node, base: existing.revision, state: state)]
        }
        let (folder, folders) =
            options.createParents
            ? try tree.folder(parent, making: spare, at: now) : (try tree.folder(parent), [])
        let state = NodeState(
            parent: folder, name: name, payload: .file(content), mode: 0o644, modified: options.modified ?? now)
        return folders + [NodeChange(node: spare[path.names.count - 1], base: .zero, state: state)]
    }
}

/// The announcement of a file that is long enough to be worth one.
struct WriteAnnouncement {
    let context: FilesContext
    let upload: UploadID
    let principal: Principal
    let plan: FilePlan
    private(set) var isMade = false

    init(context: FilesContext, upload: UploadID, principal: Principal, plan: FilePlan) {
        self.context = context
        self.upload = upload
        self.principal = principal
        self.plan = plan
    }

    /// Stores the upload as PENDING and tells the others, the first time.
    mutating func announce(received: UInt64) async throws {
        guard !isMade else { return }
        let (plan, upload, principal) = (plan, upload, principal)
        let expires = plan.now.advanced(by: context.limits.uploadLifetime)
        let head = try await context.database.write { connection -> Head? in
            let tree = TreeLookup(connection: connection, namespace: plan.namespace)
            // A parent that this upload will make is not there yet: the file is shown at the root until it is.
            let parent = try? tree.folder(plan.path.parent ?? .root)
            try UploadQueries(connection).create(
                UploadRecord(
                    id: upload, account: principal.account, namespace: plan.namespace, device: principal.device,
                    created: plan.now, expires: expires,
                    items: [
                        .init(
                            node: plan.spare[plan.spare.count - 1], parent: parent ?? .root, name: plan.name,
                            size: plan.options.size ?? received)
                    ], changes: nil))
            return try NamespaceQueries(connection).head(of: plan.namespace)
        }
        isMade = true
        if let head { await context.tellPending(head, by: principal.device) }
    }

    /// Takes the announcement back after a failure; what can't be taken back expires.
    func withdraw() async {
        guard isMade else { return }
        let upload = upload
        do {
            try await context.database.write { connection in
                guard try UploadQueries(connection).byID(upload)?.state == .pending else { return }
                try UploadQueries(connection).setState(upload, .expired)
            }
        } catch {
            context.log.warning(
                "an announcement could not be taken back", metadata: ["upload": "\(upload)", "error": "\(error)"])
        }
    }
}
