import Model

/// A link as the engine works on it: its record, and where it is in the namespace.
///
/// In the state the root of every link's tree is ``NodeID/root``; which folder of the namespace that is, is a setting.
struct EngineLink: Hashable, Sendable {
    let record: LinkRecord
    let map: NamespaceMap

    var id: LinkID { record.id }
    var namespace: NamespaceID { record.namespace }
    var remote: RemotePath { record.remote }
    var cursor: Head { record.cursor }

    static func setting(_ link: LinkID) -> String { "root-\(link.rawValue)" }
}

extension ClientDatabase {
    /// A link as it is now.
    /// - Throws: ``ClientError`` with code `usage` when there is none of that number.
    func link(_ id: LinkID) throws -> EngineLink {
        try read { connection in
            guard let record = try LinkQueries(connection).record(id) else {
                throw ClientError(.usage, "the folder is not linked any more")
            }
            let bytes = try CounterQueries(connection).setting(EngineLink.setting(id))
            let root = bytes.flatMap { NodeID(bytes: $0) } ?? .root
            return EngineLink(record: record, map: NamespaceMap(namespace: record.namespace, root: root))
        }
    }
}
