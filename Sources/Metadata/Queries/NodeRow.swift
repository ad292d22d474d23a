import Model

/// How a node lies in its row.
enum NodeRow {
    /// The columns that ``record(_:)`` reads, in order.
    static let columns = "node, valid_from, parent, name, kind, level, digest, size, target, mode, modified"

    /// The same columns where other tables have some of these names too.
    static let qualifiedColumns = columns.split(separator: ", ").map { "node.\($0)" }.joined(separator: ", ")

    /// Opens the row of a node at a revision.
    static let insert = """
        INSERT INTO node
            (namespace, node, valid_from, parent, name, kind, level, digest, size, target, mode, modified)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """

    /// The values for ``insert``.
    /// - Throws: ``MetadataError`` `constraint` for a size that the database can't keep.
    static func values(_ record: NodeRecord, in namespace: NamespaceID) throws -> [SQLValue] {
        let state = record.state
        var values: [SQLValue] = [
            .id(namespace), .id(record.node), try .revision(record.revision), .id(state.parent),
            .blob(state.name.bytes),
        ]
        switch state.payload {
        case .folder:
            values += [.integer(0), .null, .null, .null, .null]
        case .file(let content):
            values += [
                .integer(1), .integer(Int64(content.id.level)), .digest(content.id.digest),
                try .unsigned(content.size), .null,
            ]
        case .symlink(let target):
            values += [.integer(2), .null, .null, .null, .blob(target)]
        }
        values += [.integer(Int64(state.mode)), .time(state.modified)]
        return values
    }

    /// Reads ``columns``.
    static func record(_ row: SQLRow) throws -> NodeRecord {
        NodeRecord(node: try row.id(0), revision: try row.revision(1), state: try state(row))
    }

    /// Reads the state out of ``columns``.
    static func state(_ row: SQLRow) throws -> NodeState {
        NodeState(
            parent: try row.id(2), name: try row.nodeName(3), payload: try payload(row), mode: try row.number(9),
            modified: try row.time(10))
    }

    private static func payload(_ row: SQLRow) throws -> NodePayload {
        switch try row.integer(4) {
        case 0: return .folder
        case 1:
            let id = ContentID(level: try row.number(5), digest: try row.digest(6))
            return .file(Content(id: id, size: try row.number(7)))
        case 2: return .symlink(target: try row.blob(8))
        default: throw row.unexpected(4, "a kind of node")
        }
    }
}
