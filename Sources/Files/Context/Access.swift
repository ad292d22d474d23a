import Metadata
import Model

/// Who may see what. What is another's is answered like what is not there.
enum Access {
    static func check(
        _ connection: any MetadataConnection, _ namespace: NamespaceID, _ principal: Principal
    ) throws {
        guard try NamespaceQueries(connection).owner(of: namespace) == principal.account else {
            throw FilesError(.notFound, "there is no namespace \(namespace)")
        }
    }

    /// The same, and where the namespace is.
    static func head(
        _ connection: any MetadataConnection, _ namespace: NamespaceID, _ principal: Principal
    ) throws -> Head {
        try check(connection, namespace, principal)
        guard let head = try NamespaceQueries(connection).head(of: namespace) else {
            throw FilesError(.notFound, "there is no namespace \(namespace)")
        }
        return head
    }

    static func check(_ upload: UploadRecord, _ namespace: NamespaceID, _ principal: Principal) throws(FilesError) {
        guard upload.account == principal.account else {
            throw FilesError(.notFound, "there is no upload \(upload.id)")
        }
        guard upload.namespace == namespace, upload.device == principal.device else {
            throw FilesError(.conflict, "upload \(upload.id) is another device's")
        }
    }
}
