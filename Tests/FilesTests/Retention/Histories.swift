import Files
import Metadata
import Model
import Retention
import TestSupport

extension Workshop {
    /// Writes a file again and again, with a pause after each; the bytes say which save it was.
    func save(_ path: String, times: Int, every pause: Duration, size: Int = 200, by principal: Principal) async throws
    {
        for number in 0..<times {
            let name = path.utf8.reduce(UInt64(0)) { $0 &* 31 &+ UInt64($1) }
            var random = SeededGenerator(seed: name &* 1_000_003 &+ UInt64(number))
            try await write(path, random.bytes(size), by: principal)
            clock.advance(by: pause)
        }
    }

    /// The kept states of a file that is there, oldest first: the revisions that began them.
    func keptRevisions(_ path: String, of principal: Principal) async throws -> [UInt64] {
        let node = try await FindNode(context)(RemotePath(path), in: principal.home, by: principal).node
        return try await keptRevisions(node, of: principal)
    }

    func keptRevisions(_ node: NodeID, of principal: Principal) async throws -> [UInt64] {
        try await database.read { connection in
            try ThinningQueries(connection).states(of: node, in: principal.home)
                .filter { !$0.isThinned && $0.content != nil }.map(\.from.number)
        }
    }

    func thin(_ database: (any MetadataDatabase)? = nil, mostFiles: Int = 100) async throws -> ThinVersions.Report {
        try await ThinVersions(database: database ?? self.database, clock: clock, mostFiles: mostFiles)()
    }

    func setPolicy(_ text: String?, _ folder: String? = nil) async throws {
        try await SetRetention(database: database, clock: clock)(
            text, account: "ada", folder: try folder.map { try RemotePath($0) })
    }

    /// What would go: the revisions by path.
    func explain(_ path: String = "/", policy: RetentionPolicy? = nil) async throws -> [String: [UInt64]] {
        var found: [String: [UInt64]] = [:]
        try await ExplainRetention(database: database, clock: clock)("ada", path: RemotePath(path), policy: policy) {
            found["\($0.path)"] = $0.verdicts.going.map(\.revision.number)
        }
        return found
    }

    func pin(_ node: NodeID, _ revision: UInt64, of principal: Principal) async throws {
        try await database.write { try $0.pin(node, revision, of: principal) }
    }
}

extension MetadataConnection {
    func pin(_ node: NodeID, _ revision: UInt64, of principal: Principal) throws {
        try execute(
            "INSERT INTO pin (namespace, node, revision, name, device, created) VALUES ($1, $2, $3, '', $4, 0)",
            [
                .blob(principal.home.bytes), .blob(node.bytes), .integer(Int64(revision)),
                .blob(principal.device.bytes),
            ])
    }
}
