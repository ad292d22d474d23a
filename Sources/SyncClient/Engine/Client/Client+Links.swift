import Model

/// A folder that the client keeps in sync.
public struct LinkedFolderReference: Hashable, Sendable {
    let id: LinkID
    /// The absolute path of the folder.
    public let folder: String
}

extension Client {
    /// The link of a folder, made at the first use.
    /// - Parameters:
    ///   - folder: The absolute path of the folder; it must exist.
    ///   - remote: The folder on the server, made where it is missing; nil for the root, or for what was linked before.
    /// - Returns: The link.
    /// - Throws: ``ClientError`` with code `usage` when the folder lies in, or around, one that is linked, or is linked
    ///   with another remote folder.
    public func link(_ folder: String, remote: String?) async throws -> LinkedFolderReference {
        let path = LocalPath(bytes: Array(folder.utf8))
        let target = try remote.map(Self.remotePath)
        let links = try await onWorker { [database] in try database.read { try LinkQueries($0).all() } }
        if let known = links.first(where: { $0.folder == path }) {
            if let target, target != known.remote {
                throw ClientError(.usage, "'\(folder)' is linked with '\(known.remote)': unlink it first")
            }
            return LinkedFolderReference(id: known.id, folder: folder)
        }
        if let other = links.first(where: { path.isWithin($0.folder) || $0.folder.isWithin(path) }) {
            throw ClientError(.usage, "'\(folder)' and the linked folder '\(other.folder)' lie one in the other")
        }
        let identity = try await onWorker { try LinkedFolder.identity(of: path) }
        let namespace = try credentials.namespace
        let root = try await RemoteFolder(context: context(), namespace: namespace).findOrMake(target ?? .root)
        let id = try await onWorker { [database] in
            try database.writeDurably { connection in
                let id = try LinkQueries(connection).add(
                    folder: path, remote: target ?? .root, namespace: namespace, root: .root, identity: identity)
                try CounterQueries(connection).set(EngineLink.setting(id), root.bytes)
                return id
            }
        }
        return LinkedFolderReference(id: id, folder: folder)
    }

    /// Forgets a link. No file is touched.
    /// - Throws: ``ClientError``; `usage` when the folder is not linked, `busy` while another process works on it.
    public func unlink(_ folder: String) async throws {
        let link = try await record(of: folder)
        let lock = try LinkLock(home.lock(of: link.id.rawValue), folder: folder)
        try await onWorker { [database] in
            try database.writeDurably { connection in
                try LinkQueries(connection).remove(link.id)
                try CounterQueries(connection).set(EngineLink.setting(link.id), nil)
                try PassNote.remove(connection, link: link.id)
            }
        }
        withExtendedLifetime(lock) {}
        try PrivateFile.remove(home.lock(of: link.id.rawValue))
    }

    /// The linked folders.
    public func links() async throws -> [LinkedFolderReference] {
        try await onWorker { [database] in
            try database.read { try LinkQueries($0).all() }.map {
                LinkedFolderReference(id: $0.id, folder: String(decoding: $0.folder.bytes, as: UTF8.self))
            }
        }
    }

    private func record(of folder: String) async throws -> LinkRecord {
        let path = LocalPath(bytes: Array(folder.utf8))
        let links = try await onWorker { [database] in try database.read { try LinkQueries($0).all() } }
        guard let link = links.first(where: { $0.folder == path }) else {
            throw ClientError(.usage, "'\(folder)' is not linked")
        }
        return link
    }

    private static func remotePath(_ text: String) throws -> RemotePath {
        do {
            return try RemotePath(text)
        } catch {
            throw ClientError(.usage, "'\(text)' is not a path on the server: \(error)")
        }
    }
}
