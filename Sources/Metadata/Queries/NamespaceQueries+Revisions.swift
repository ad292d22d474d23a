public import Model

extension NamespaceQueries {
    /// How far each of some namespaces is, in no particular order. A namespace that does not exist is left out.
    /// - Complexity: O(namespaces), in a few statements.
    public func revisions(of namespaces: [NamespaceID]) throws -> [Cursor] {
        var found: [NamespaceID: Revision] = [:]
        try ChunkedList.forEach(namespaces) { chunk in
            let list = ChunkedList.parameters(from: 1, count: chunk.count)
            for row in try connection.query(
                "SELECT id, revision FROM namespace WHERE id IN (\(list))", chunk.map { .id($0) })
            {
                found[try row.id(0)] = try row.revision(1)
            }
        }
        return found.map { Cursor(namespace: $0.key, revision: $0.value) }
    }
}
