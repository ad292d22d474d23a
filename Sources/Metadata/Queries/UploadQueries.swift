public import Model

/// Reads and writes uploads that are on their way.
public struct UploadQueries {
    let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// Adds an upload with its items.
    /// - Throws: ``MetadataError`` `alreadyExists` when the id is taken, or two items name one node.
    public func create(_ upload: UploadRecord) throws {
        try connection.execute(
            """
            INSERT INTO upload (id, account, namespace, device, state, created, expires, changes)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                .id(upload.id), .id(upload.account), .id(upload.namespace), .id(upload.device),
                .integer(upload.state.rawValue), .time(upload.created), .time(upload.expires),
                upload.changes.map(SQLValue.blob) ?? .null,
            ])
        try connection.executeMany(
            "INSERT INTO upload_item (upload, node, parent, name, size) VALUES ($1, $2, $3, $4, $5)",
            try upload.items.map {
                [.id(upload.id), .id($0.node), .id($0.parent), .blob($0.name.bytes), try .unsigned($0.size)]
            })
    }

    /// The upload of an id, with its items; nil when there is none.
    public func byID(_ id: UploadID) throws -> UploadRecord? {
        guard
            let row = try connection.first("SELECT \(Self.columns), changes FROM upload WHERE id = $1", [.id(id)])
        else { return nil }
        return try record(row, changes: try row.optionalBlob(7))
    }

    /// The pending uploads of a namespace, oldest first, with their items but without their change-sets.
    public func pending(in namespace: NamespaceID) throws -> [UploadRecord] {
        try connection.query(
            "SELECT \(Self.columns) FROM upload WHERE namespace = $1 AND state = 0 ORDER BY created, id",
            [.id(namespace)]
        ).map { try record($0, changes: nil) }
    }

    /// The pending uploads of one device in a namespace, oldest first, with their items and their change-sets.
    public func pending(in namespace: NamespaceID, of device: DeviceID) throws -> [UploadRecord] {
        try connection.query(
            """
            SELECT \(Self.columns), changes FROM upload WHERE namespace = $1 AND device = $2 AND state = 0
            ORDER BY created, id
            """, [.id(namespace), .id(device)]
        ).map { try record($0, changes: try $0.optionalBlob(7)) }
    }

    /// Gives a pending upload its change-set: from now on it is complete but for its missing blocks.
    /// - Throws: ``MetadataError`` `notFound` when there is no such upload that is pending.
    public func setChanges(_ id: UploadID, _ changes: [UInt8]) throws {
        let changed = try connection.execute(
            "UPDATE upload SET changes = $1 WHERE id = $2 AND state = 0", [.blob(changes), .id(id)])
        if changed == 0 { throw MetadataError(.notFound, "there is no upload \(id) that is pending") }
    }

    /// Ends an upload: it keeps neither its change-set nor what it waited for. `pending` puts nothing back.
    /// - Throws: ``MetadataError`` `notFound` when there is no such upload.
    public func setState(_ id: UploadID, _ state: UploadState) throws {
        let forgotten = state == .pending ? "" : ", changes = NULL"
        let changed = try connection.execute(
            "UPDATE upload SET state = $1\(forgotten) WHERE id = $2", [.integer(state.rawValue), .id(id)])
        if changed == 0 { throw MetadataError(.notFound, "there is no upload \(id)") }
        if state != .pending { try connection.execute("DELETE FROM missing_block WHERE upload = $1", [.id(id)]) }
    }

    /// Ends the pending uploads whose time has come by `time`, at most `limit` of them, the oldest first.
    /// - Returns: the uploads that were ended, with their namespaces.
    public func expire(before time: Timestamp, limit: Int = 1000) throws -> [(id: UploadID, namespace: NamespaceID)] {
        let due: [(id: UploadID, namespace: NamespaceID)] = try connection.query(
            "SELECT id, namespace FROM upload WHERE state = 0 AND expires <= $1 ORDER BY expires, id LIMIT $2",
            [.time(time), .integer(Int64(limit))]
        ).map { (id: try $0.id(0), namespace: try $0.id(1)) }
        for upload in due { try setState(upload.id, .expired) }
        return due
    }

    /// Forgets the ended uploads that had time until before `time`, and the refusals from before it. Their ids are
    /// new again: it has to be longer ago than any device goes on repeating a request.
    /// - Returns: how many rows went.
    @discardableResult
    public func forget(before time: Timestamp) throws -> Int {
        try connection.execute("DELETE FROM upload WHERE state <> 0 AND expires < $1", [.time(time)])
            + connection.execute("DELETE FROM refusal WHERE time < $1", [.time(time)])
    }

    private static let columns = "id, account, namespace, device, state, created, expires"

    private func record(_ row: SQLRow, changes: [UInt8]?) throws -> UploadRecord {
        guard let state = UploadState(rawValue: try row.integer(4)) else { throw row.unexpected(4, "a state") }
        let id: UploadID = try row.id(0)
        let items = try connection.query(
            "SELECT node, parent, name, size FROM upload_item WHERE upload = $1 ORDER BY node", [.id(id)]
        ).map {
            UploadItem(node: try $0.id(0), parent: try $0.id(1), name: try $0.nodeName(2), size: try $0.number(3))
        }
        return UploadRecord(
            id: id, account: try row.id(1), namespace: try row.id(2), device: try row.id(3), state: state,
            created: try row.time(5), expires: try row.time(6), items: items, changes: changes)
    }
}
