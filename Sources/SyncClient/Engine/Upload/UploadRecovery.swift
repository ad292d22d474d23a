import Model
import WireProtocol

/// Ends the uploads that an earlier run did not see the end of, so that none of them commits behind the back of what is
/// on the disk by now.
///
/// The blocks that they brought are durable and stay with the server: what is planned anew does not send them again.
struct UploadRecovery {
    let context: EngineContext
    let link: EngineLink

    func run() async throws {
        let rows = try await context.onWorker {
            try context.database.read { try UploadQueries($0).all(of: link.id) }
        }
        for row in rows {
            let withdrawal = UploadWithdrawal(context: context, link: link, id: row.id)
            // Of a row that another version wrote only the id can be read: what it committed comes back as news.
            _ = try await withdrawal.run((try? UploadRequest(decoding: row.request))?.changes)
        }
    }
}

/// Takes an upload back that is not to go on, or takes in that it was committed before.
struct UploadWithdrawal {
    let context: EngineContext
    let link: EngineLink
    let id: UploadID

    /// - Parameter changes: What it was to change, in the link's own terms; nil when nobody knows.
    /// - Returns: The revision that it became; nil when it will never be one.
    /// - Throws: ``ClientError``: the upload is still noted then, and the next recovery ends it.
    func run(_ changes: [NodeChange]?) async throws -> Revision? {
        let outcome: UploadOutcome?
        do {
            outcome = try await context.server.withdraw(id)
        } catch let error as ClientError where error.code == .notOnServer || error.code == .conflict {
            // It belongs to another account or device: the folder was linked anew. It is not ours to take back.
            outcome = nil
        }
        guard case .committed(let revision, let hash) = outcome, let changes else {
            try await forget()
            return nil
        }
        let head = Head(namespace: link.namespace, revision: revision, hash: hash)
        try await context.onWorker {
            try CommitSettlement(database: context.database, link: link.id).settle(id, changes, at: head)
        }
        context.counter.add(changes.count, to: \.changesSent)
        return revision
    }

    private func forget() async throws {
        try await context.onWorker { try context.database.write { try UploadQueries($0).remove(id) } }
    }
}
