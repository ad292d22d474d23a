public import Metadata
public import Model

/// Gives a version of a file a name, so that it stays for ever; or takes the name off again.
public struct PinVersion: Sendable {
    private let context: FilesContext

    /// The most bytes of a name.
    private static let longestName = 200

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Pins a version. One that is pinned gets the new name.
    /// - Parameters:
    ///   - path: Where the file is, or was.
    ///   - point: Which version; nil for the present one, or the last one of a file that is gone.
    ///   - name: What the version is called.
    ///   - namespace: The tree.
    ///   - principal: Who asks.
    /// - Returns: The pin.
    /// - Throws: ``FilesError``: `notFound`, `conflict` for a folder, `versionNotKept`, `invalidRequest` for a name that is
    ///   empty, longer than 200 bytes or not one line.
    public func callAsFunction(
        _ path: RemotePath, at point: PastPoint?, name: String, in namespace: NamespaceID, by principal: Principal
    ) async throws -> PinRecord {
        let isLine = name.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
        guard !name.isEmpty, name.utf8.count <= Self.longestName, isLine else {
            throw FilesError(.invalidRequest, "the name of a pin is one line of 1 to \(Self.longestName) bytes")
        }
        let now = context.clock.now()
        return try await context.database.write { connection in
            try Access.check(connection, namespace, principal)
            let version = try Self.version(path, point, namespace, connection)
            guard !version.record.state.payload.isFolder else {
                throw FilesError(.conflict, "\(path) is a folder: pin the files in it")
            }
            guard version.isKept else { throw try FilesError.notKept(version, at: path, in: namespace, connection) }
            let pin = PinRecord(
                node: version.record.node, revision: version.record.revision, name: name, device: principal.device,
                created: now)
            try PinQueries(connection).set(pin, in: namespace)
            return pin
        }
    }

    /// Takes the pin off a version, or off all versions of the file for nil.
    /// - Returns: how many pins were taken off.
    /// - Throws: ``FilesError`` `notFound` when there was never such a file, or nothing is pinned there.
    public func remove(
        _ path: RemotePath, at point: PastPoint?, in namespace: NamespaceID, by principal: Principal
    ) async throws -> Int {
        try await context.database.write { connection in
            try Access.check(connection, namespace, principal)
            let version = try Self.version(path, point, namespace, connection)
            let count = try PinQueries(connection).remove(
                version.record.node, point == nil ? nil : version.record.revision, in: namespace)
            if count == 0 { throw FilesError(.notFound, "nothing of \(path) is pinned there") }
            return count
        }
    }

    private static func version(
        _ path: RemotePath, _ point: PastPoint?, _ namespace: NamespaceID, _ connection: any MetadataConnection
    ) throws -> NodeVersion {
        let found: NodeVersion?
        if let point {
            let revision = try point.revision(in: namespace, connection)
            found = try PastNode(connection: connection, namespace: namespace).version(at: path, revision)
        } else {
            let versions = VersionQueries(connection)
            found = try versions.holders(of: path, in: namespace).first.flatMap { holder in
                try versions.versions(of: holder.node, in: namespace, limit: 1).first
            }
        }
        guard let found else { throw FilesError(.notFound, "there was nothing at \(path)") }
        return found
    }
}
