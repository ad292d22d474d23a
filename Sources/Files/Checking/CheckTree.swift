import Blocks
import Metadata
import Model

/// Checks the journal and the shape of one tree, at all of its revisions.
struct CheckTree: Sendable {
    let setting: CheckSetting
    let namespace: NamespaceID
    let account: AccountID

    /// The most faults of one kind that are told for a tree: behind so many, one more says nothing new.
    private static let limit = 1000
    private static let step = 500

    func callAsFunction() async throws {
        let (namespace, limit) = (namespace, Self.limit)
        let faults = try await setting.database.read { connection in
            try JournalVerification(connection, namespace, hash: SHA256Hasher.digest(of:)).faults()
        }
        for fault in faults.prefix(limit) { tell(.journal, fault.description, nil, fault.revision) }
        if faults.count > limit { tell(.journal, "and \(faults.count - limit) more of this kind", nil, nil) }
        try await tell { try CheckQueries($0).overlaps(in: namespace, limit: limit) }
        try await tell { try CheckQueries($0).sharedNames(in: namespace, limit: limit) }
        try await tell { try CheckQueries($0).missingParents(in: namespace, limit: limit) }
        try await tell { connection in
            guard let head = try NamespaceQueries(connection).head(of: namespace) else { return [] }
            return try CheckQueries(connection).rowsBeyond(head.revision, in: namespace, limit: limit)
        }
        try await findCycles()
    }

    private func tell(_ find: @escaping @Sendable (any MetadataConnection) throws -> [TreeFault]) async throws {
        for fault in try await setting.database.read(find) { await tell(fault) }
    }

    private func tell(_ fault: TreeFault) async {
        let path = try? await PathFinder(database: setting.database).path(
            of: fault.node, in: namespace, at: fault.revision)
        let place = path.map { "\($0) (node \(fault.node))" } ?? "node \(fault.node)"
        tell(.tree, "\(place) \(fault.kind.inWords) at revision \(fault.revision)", fault.node, fault.revision, path)
    }

    private func tell(
        _ kind: CheckFinding.Kind, _ message: String, _ node: NodeID?, _ revision: Revision?, _ path: String? = nil
    ) {
        var finding = CheckFinding(kind, .damage, message)
        (finding.account, finding.namespace, finding.node) = (account, namespace, node)
        (finding.revision, finding.path) = (revision, path)
        setting.tell(finding)
    }

    /// A circle of folders begins where one of them is made or moved, so it is enough to go up from there.
    private func findCycles() async throws {
        var last: (node: NodeID, from: Revision)?
        let namespace = namespace
        while true {
            let start = last
            let (moves, circles) = try await setting.database.read { connection in
                let moves = try CheckQueries(connection).movedFolders(in: namespace, after: start, limit: Self.step)
                let circles = try moves.filter { try Self.isInCircle($0.node, $0.from, connection, namespace) }
                return (moves, circles)
            }
            for move in circles {
                await tell(TreeFault(namespace: namespace, node: move.node, revision: move.from, kind: .cycle))
            }
            last = moves.last
            if moves.count < Self.step { return }
        }
    }

    private static func isInCircle(
        _ node: NodeID, _ revision: Revision, _ connection: any MetadataConnection, _ namespace: NamespaceID
    ) throws -> Bool {
        var seen: Set<NodeID> = []
        var current = node
        while current != .root {
            guard seen.insert(current).inserted else { return current == node }
            guard let record = try NodeQueries(connection).node(current, in: namespace, at: revision) else {
                return false
            }
            current = record.state.parent
        }
        return false
    }
}

/// Finds out what a node was called.
struct PathFinder: Sendable {
    let database: any MetadataDatabase

    /// The path of a node at a revision; nil when it does not lead to the root.
    /// - Complexity: one look-up for each folder on the way.
    func path(of node: NodeID, in namespace: NamespaceID, at revision: Revision) async throws -> String? {
        try await database.read { connection in
            var names: [String] = []
            var seen: Set<NodeID> = []
            var current = node
            while current != .root {
                guard seen.insert(current).inserted,
                    let record = try NodeQueries(connection).node(current, in: namespace, at: revision)
                else { return nil }
                names.append(record.state.name.description)
                current = record.state.parent
            }
            return "/" + names.reversed().joined(separator: "/")
        }
    }
}

extension TreeFault.Kind {
    /// What follows the name of the node in a message.
    fileprivate var inWords: String {
        switch self {
        case .overlap: "has two rows"
        case .sharedName: "shares its name with another entry of its folder"
        case .missingParent: "lies in a folder that is not there"
        case .cycle: "lies in itself"
        case .beyondHead: "has a row behind the head of its namespace"
        }
    }
}
