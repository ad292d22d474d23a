import Metadata
import Model

/// Asks back what a file needs that became a current one although some of its blocks lie in the archive: a past version that
/// was restored, or an edit of a file that was left alone for long. Uploads need no help: what lies in the archive is sent
/// again.
public struct WarmFiles: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    private static let atOnce = 256

    /// Looks through the versions that began since the last time.
    /// - Returns: how many contents were asked back.
    @discardableResult
    public func callAsFunction() async throws -> Int {
        guard context.archive != nil else { return 0 }
        var asked = 0
        for account in try await context.database.read({ try AccountQueries($0).all() }) {
            asked += try await look(account.id)
        }
        if asked > 0 { context.archive?.bell.ring() }
        return asked
    }

    private func look(_ account: AccountID) async throws -> Int {
        let (heads, known, hasAny) = try await context.database.read { connection in
            let heads = try ColdSearch.heads(of: account, connection)
            let queries = ArchiveQueries(connection)
            let known = try heads.keys.map { ($0, try queries.warmed($0)) }
            return (heads, Dictionary(uniqueKeysWithValues: known), try queries.hasAny(account))
        }
        var asked = 0
        var walk = ContentWalk(context, account: account)
        for (namespace, head) in heads {
            // A namespace that was never looked through has nothing that came back since.
            let start = (known[namespace] ?? nil) ?? head
            if (known[namespace] ?? nil) == head { continue }
            if hasAny, start < head { asked += try await look(in: namespace, start, head, account, &walk) }
            let now = context.clock.now()
            try await context.database.write { try ArchiveQueries($0).noteWarmed(namespace, head, at: now) }
        }
        return asked
    }

    private func look(
        in namespace: NamespaceID, _ start: Revision, _ head: Revision, _ account: AccountID, _ walk: inout ContentWalk
    ) async throws -> Int {
        var position = ChangePosition(revision: start, node: NodeID(high: .max, low: .max))
        var asked = 0
        while true {
            let (after, limit) = (position, Self.atOnce)
            let versions = try await context.database.read {
                try ArchiveQueries($0).begunVersions(in: namespace, after: after, upTo: head, limit: limit)
            }
            for version in versions where try await isArchived(version.content, account, &walk) {
                let request = ThawRequest(
                    account: account, content: version.content.id, device: .server, requested: context.clock.now())
                try await context.database.write { try ThawQueries($0).ask([request]) }
                asked += 1
            }
            guard versions.count == limit, let end = versions.last?.position else { return asked }
            position = end
        }
    }

    /// Whether anything of a content lies in the archive, but for the pages that an earlier one shares with it.
    private func isArchived(_ content: Content, _ account: AccountID, _ walk: inout ContentWalk) async throws -> Bool {
        let database = context.database
        var isArchived = false
        do {
            try await walk.visit(content) { blocks in
                let rows = try await database.read { try BlockQueries($0).locations(blocks, account: account) }
                if rows.values.contains(where: { $0.tier == .archive }) { isArchived = true }
            }
        } catch let error as FilesError where error.code == .corruptData {
            // It may have been given up meanwhile. Who reads it is told what is wrong with it.
            return false
        }
        return isArchived
    }
}

extension DeviceID {
    /// Stands for the server where a device is named that asked for something.
    static let server = DeviceID(high: 0, low: 0)
}
