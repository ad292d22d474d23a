import Model
import SyncPlanning
import WireProtocol

/// Takes what happened on the server since the link's cursor into the remote overlay.
///
/// The cursor moves with the last page, in its transaction: a walk that was cut off is walked again, and brings the
/// same states, or newer ones.
struct RemoteFetch {
    let context: EngineContext
    let link: LinkID

    /// - Parameter verify: Whether to ask first that the server still has the history that the cursor stands for.
    /// - Throws: ``ClientError`` with code `serverRestored` when it has another one.
    func run(verify: Bool) async throws {
        let record = try await context.onWorker {
            try AgreedNodes(database: context.database, link: link).settle()
            return try context.database.link(link)
        }
        if verify { try await verifyHistory(record.cursor) }
        if record.map.isWhole {
            try await fetch(since: record.cursor) { try store($0, head: $1) }
        } else {
            try await SubtreeFetch(context: context, link: record, fetch: self).run()
        }
        try context.step(.remoteFetched)
    }

    /// A cursor binds all history before it by its hash: if the server gives that revision another hash, or does not
    /// reach it, then it was restored from a copy, and what it lacks must not be taken for deleted.
    private func verifyHistory(_ cursor: Head) async throws {
        guard cursor.revision > .zero else { return }
        let answer = try await changes(since: cursor, upTo: cursor.revision, after: nil)
        try check(answer.head, against: cursor)
    }

    /// Asks for changes. A server that has never reached the cursor refuses to speak of it: then its head says why.
    private func changes(
        since cursor: Head, upTo: Revision?, after: ChangesPosition?
    ) async throws -> ChangesResponse {
        do {
            return try await context.server.changes(
                in: cursor.namespace, since: cursor.revision, upTo: upTo, after: after)
        } catch let error as ClientError where error.code == .rejected || error.code == .conflict {
            let newest = try await context.server.changes(in: cursor.namespace, since: .zero, upTo: nil, after: nil)
            try check(newest.head, against: cursor)
            throw error
        }
    }

    private func check(_ head: Head, against cursor: Head) throws {
        if head.revision > cursor.revision || head == cursor { return }
        let found =
            head.revision == cursor.revision
            ? "another history up to revision \(head.revision)" : "only \(head.revision) revisions"
        throw ClientError(
            .serverRestored,
            """
            the server has \(found), this device has seen revision \(cursor.revision): it was restored from an older \
            copy. Nothing was changed here. To accept the server's history, unlink the folder and link it again: both \
            sides are then merged and nothing is deleted
            """)
    }

    /// Walks the changes page by page; all pages are of one revision.
    /// - Parameters:
    ///   - cursor: Where the walk begins.
    ///   - page: Takes the entries; with the head once the walk is complete.
    /// - Throws: ``ClientError``, and what `page` throws.
    func fetch(since cursor: Head, _ page: @escaping @Sendable ([NodeAtRevision], Head?) throws -> Void) async throws {
        var after: ChangesPosition?
        var end: Head?
        repeat {
            let answer = try await changes(since: cursor, upTo: end?.revision, after: after)
            try check(answer.head, against: cursor)
            guard end == nil || end == answer.head else {
                throw ClientError(.protocolViolation, "the server's pages of changes are of different revisions")
            }
            guard answer.next == nil || !answer.entries.isEmpty else {
                throw ClientError(.protocolViolation, "the server's page of changes is empty, yet not the last")
            }
            end = answer.head
            after = answer.next
            let isLast = answer.next == nil
            if isLast, answer.head == cursor { return }
            try await context.onWorker { try page(answer.entries, isLast ? answer.head : nil) }
            context.progress.advance(files: answer.entries.count)
        } while after != nil
    }

    /// Puts entries into the overlay, but for those that the synced tree has already: our own commits come back too.
    func store(_ entries: [NodeAtRevision], head: Head?) throws {
        try context.database.write { connection in
            let synced = SyncedQueries(connection, link: link)
            let remote = RemoteQueries(connection, link: link)
            var news: [(key: NodeID, value: RemoteNode)] = []
            var known: [Plan.Settlement] = []
            for entry in entries where entry.node != .root {
                let record = try synced.record(of: entry.node)?.record
                let agreed = record?.revision
                // What was moved out of the linked folder with the folder around it is removed at the revision that it has.
                if let agreed, agreed > entry.revision || (agreed == entry.revision && entry.state != nil) {
                    known.append(.init(node: entry.node, record: record))
                } else if try entry.state != nil || agreed != nil || isKnown(entry.node, connection) {
                    news.append((entry.node, RemoteNode(revision: entry.revision, state: entry.state)))
                }
            }
            try remote.put(news)
            for settlement in known { try remote.settle(settlement) }
            if let head { try LinkQueries(connection).setCursor(link, head) }
        }
    }

    /// Whether a node that was removed and is not in the synced tree matters: an earlier page or this disk has it.
    private func isKnown(_ node: NodeID, _ connection: StateConnection) throws -> Bool {
        if try RemoteQueries(connection, link: link).record(of: node) != nil { return true }
        return try LocalQueries(connection, link: link).record(of: node) != nil
    }
}
