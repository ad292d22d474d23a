public import Model

/// Reads and writes the pins of versions.
public struct PinQueries {
    let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// Pins a version. One that is pinned already gets the new name.
    public func set(_ pin: PinRecord, in namespace: NamespaceID) throws {
        try connection.execute(
            """
            INSERT INTO pin (namespace, node, revision, name, device, created) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (namespace, node, revision)
            DO UPDATE SET name = excluded.name, device = excluded.device, created = excluded.created
            """,
            [
                .id(namespace), .id(pin.node), try .revision(pin.revision), .text(pin.name), .id(pin.device),
                .time(pin.created),
            ])
    }

    /// Takes the pin off a version, or off all versions of a node for nil.
    /// - Returns: how many pins that took away.
    public func remove(_ node: NodeID, _ revision: Revision?, in namespace: NamespaceID) throws -> Int {
        guard let revision else {
            return try connection.execute(
                "DELETE FROM pin WHERE namespace = $1 AND node = $2", [.id(namespace), .id(node)])
        }
        return try connection.execute(
            "DELETE FROM pin WHERE namespace = $1 AND node = $2 AND revision = $3",
            [.id(namespace), .id(node), try .revision(revision)])
    }

    /// The pins of a node, the oldest version first.
    public func pins(of node: NodeID, in namespace: NamespaceID) throws -> [PinRecord] {
        try connection.query(
            """
            SELECT node, revision, name, device, created FROM pin
            WHERE namespace = $1 AND node = $2 ORDER BY revision
            """,
            [.id(namespace), .id(node)]
        ).map { row in
            PinRecord(
                node: try row.id(0), revision: try row.revision(1), name: try row.text(2), device: try row.id(3),
                created: try row.time(4))
        }
    }
}
