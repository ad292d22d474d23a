import Model
import WireProtocol

/// The changes of a pending upload as the database keeps them: an ``UploadRequest`` without what rode along.
enum ChangeSet {
    static func encode(_ changes: [NodeChange], upload: UploadID) throws -> [UInt8] {
        try UploadRequest(upload: upload, changes: changes).encoded()
    }

    static func decode(_ bytes: [UInt8]) throws -> [NodeChange] {
        do {
            return try UploadRequest(decoding: bytes).changes
        } catch {
            throw FilesError(.corruptData, "the changes of a pending upload can't be read", cause: "\(error)")
        }
    }
}
