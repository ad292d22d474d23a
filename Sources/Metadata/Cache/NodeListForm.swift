public import Model

/// A list of nodes as bytes, in the form of the journal's records: for caches, not for keeping.
public enum NodeListForm {
    /// The bytes of a list.
    public static func bytes(of records: [NodeRecord]) -> [UInt8] {
        var writer = ByteWriter(capacity: records.count * 120)
        for record in records {
            writer.append(record.revision.number)
            writer.append(record.node, record.state)
        }
        return writer.bytes
    }

    /// Reads a list.
    /// - Throws: ``MetadataError`` `corrupt`.
    public static func records(in bytes: [UInt8]) throws -> [NodeRecord] {
        var reader = ByteReader(bytes)
        var records: [NodeRecord] = []
        while !reader.isAtEnd {
            let revision = Revision(try reader.number())
            let (node, state) = try reader.node()
            guard let state else { throw MetadataError(.corrupt, "a list of nodes holds one that is gone") }
            records.append(NodeRecord(node: node, revision: revision, state: state))
        }
        return records
    }
}
