import Metadata
public import Model

/// One file that is on its way.
public struct PendingFile: Hashable, Sendable {
    /// The upload.
    public let upload: UploadID
    /// The device that sends it.
    public let device: DeviceID
    /// The folder that it will be in.
    public let parent: NodeID
    /// Its name.
    public let name: NodeName
    /// Its size in bytes, as announced.
    public let size: UInt64
    /// When it was announced.
    public let since: Timestamp
}

/// Tells which files others have announced and not finished.
public struct ListPendingUploads: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// The files on their way to a namespace, the oldest announcement first, at most `limit` of them.
    /// - Throws: ``FilesError`` `notFound` for the namespace.
    public func callAsFunction(
        in namespace: NamespaceID, limit: Int = 10_000, by principal: Principal
    ) async throws -> [PendingFile] {
        try await context.database.read { connection in
            try Access.check(connection, namespace, principal)
            let files = try UploadQueries(connection).pending(in: namespace).lazy.flatMap { upload in
                upload.items.map { item in
                    PendingFile(
                        upload: upload.id, device: upload.device, parent: item.parent, name: item.name, size: item.size,
                        since: upload.created)
                }
            }
            return Array(files.prefix(limit))
        }
    }
}
