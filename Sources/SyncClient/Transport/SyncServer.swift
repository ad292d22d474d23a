public import Blocks
public import Model
public import WireProtocol

/// What the engine needs of a server.
///
/// Contract: every call may be made again after a failure, with the same effect as once; an upload is named by its id
/// and a block by its hash. `store` and `submit` answer only when what they acknowledge is durable. Calls may be made
/// from many tasks at once. They throw ``ClientError``, or `CancellationError` when the task is cancelled.
public protocol SyncServer: Sendable {
    /// Announces, commits or asks after a set of changes.
    func submit(_ request: UploadRequest, to namespace: NamespaceID) async throws -> UploadOutcome
    /// Takes an upload back, so that it will never commit, whatever of it is still on its way.
    /// - Returns: What became of it, if that was decided before: then it is not taken back.
    func withdraw(_ upload: UploadID) async throws -> UploadOutcome?
    /// Stores a window of recipe pages of an upload.
    /// - Returns: The blocks named in them that the server lacks.
    func store(pages: [[UInt8]], of upload: UploadID) async throws -> [BlockID]
    /// Stores blocks; they are durable when it returns.
    func store(blocks: [EncodedBlock], of upload: UploadID) async throws -> StoredResponse
    /// Which of these blocks the server lacks, in the same order.
    func missing(of blocks: [BlockID]) async throws -> [BlockID]
    /// Fetches blocks, in the order asked for.
    func fetch(blocks: [BlockID]) async throws -> [EncodedBlock]
    /// Fetches recipe pages, each without those under the content that the asker has.
    func fetch(pages: [PageQuestion.Item]) async throws -> [[UInt8]]
    /// A page of what changed after a revision; `upTo` and `after` go on with a walk that an earlier page began.
    func changes(
        in namespace: NamespaceID, since: Revision, upTo: Revision?, after: ChangesPosition?
    ) async throws -> ChangesResponse
    /// Asks for a poll token, and where to poll with it; nil when the server knows no poll tokens.
    func pollToken() async throws -> PollTokenResponse?
    /// Waits until a namespace moves past its cursor, or the request's time runs out. It is tried once: who polls has a
    /// loop around it.
    func poll(_ request: PollRequest, at place: PollPlace) async throws -> PollResponse
    /// Whether the server is spoken to by TLS.
    var isSecure: Bool { get }
    /// The files that devices announced and have not finished.
    func pendingUploads(in namespace: NamespaceID) async throws -> [PendingEntry]
    /// What has gone over the wire so far.
    var traffic: Traffic { get }
}
