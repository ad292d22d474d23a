import Files
import Metadata
import Model

/// Short forms of what the tests of the history ask for.
extension Workshop {
    func restore(
        _ path: String, at point: PastPoint? = nil, to target: String? = nil, dryRun: Bool = false, by who: Principal
    ) async throws -> HistoryOutcome {
        try await RestoreVersion(context)(
            RemotePath(path), at: point, to: target.map { try RemotePath($0) }, dryRun: dryRun, in: who.home, by: who)
    }

    func rewind(
        _ path: String, to point: PastPoint, dryRun: Bool = false, by who: Principal
    ) async throws -> HistoryOutcome {
        try await RewindTree(context)(RemotePath(path), to: point, dryRun: dryRun, in: who.home, by: who)
    }

    func remove(_ path: String, by who: Principal) async throws {
        _ = try await RemoveNode(context)(RemotePath(path), in: who.home, by: who)
    }

    func move(_ from: String, _ to: String, by who: Principal) async throws {
        _ = try await MoveNode(context)(from: RemotePath(from), to: RemotePath(to), in: who.home, by: who)
    }

    func makeFolder(_ path: String, by who: Principal) async throws {
        _ = try await MakeFolder(context)(RemotePath(path), parents: true, in: who.home, by: who)
    }

    func versions(_ path: String, all: Bool = false, by who: Principal) async throws -> [ListVersions.NodeEntries] {
        try await ListVersions(context)(RemotePath(path), showsAll: all, in: who.home, by: who)
    }

    func read(_ path: String, at point: PastPoint, by who: Principal) async throws -> [UInt8] {
        let file = try await ReadFile(context)(RemotePath(path), at: point, in: who.home, by: who)
        return try await file.read(0..<file.content.size).whole()
    }

    func node(_ path: String, by who: Principal) async throws -> NodeID? {
        try await database.read { try NodeQueries($0).resolve(RemotePath(path), in: who.home)?.node }
    }

    /// Every path below the root with its node and state, at a revision or the head.
    func tree(at revision: UInt64? = nil, of who: Principal) async throws -> [String: NodeState] {
        try await database.read { connection throws in
            var found: [String: NodeState] = [:]
            var open: [(path: RemotePath, node: NodeID)] = [(.root, .root)]
            while let folder = open.popLast() {
                for child in try NodeQueries(connection).children(
                    of: folder.node, in: who.home, limit: 10_000, at: revision.map { Revision($0) })
                {
                    let path = folder.path.appending(child.state.name)
                    found["\(path) \(child.node)"] = child.state
                    if child.state.payload.isFolder { open.append((path, child.node)) }
                }
            }
            return found
        }
    }

    /// The paths of ``tree(at:of:)``.
    func paths(of who: Principal) async throws -> [String] {
        try await tree(of: who).keys.map { String($0.dropLast(33)) }.sorted()
    }

    /// Gives up the bytes of the version of a path that a revision made.
    func thin(_ path: String, _ revision: UInt64, by who: Principal) async throws {
        try await database.write { connection throws in
            let node = try NodeQueries(connection).resolve(RemotePath(path), in: who.home, at: Revision(revision))
            let changed = try connection.execute(
                "UPDATE node SET thinned = 1 WHERE node = $1 AND valid_from = $2",
                [.blob(node?.node.bytes ?? []), .integer(Int64(revision))])
            precondition(changed == 1, "there is no such version")
        }
    }

    func head(_ who: Principal) async throws -> UInt64 { try await head(of: who).revision.number }
}

extension PastPoint {
    static func at(_ revision: UInt64) -> PastPoint { .revision(Revision(revision)) }
}
