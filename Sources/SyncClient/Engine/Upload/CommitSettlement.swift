import Model
import SyncPlanning
import WireProtocol

/// Takes the changes of an accepted commit into the synced tree, without waiting for them to come back.
struct CommitSettlement {
    let database: ClientDatabase
    let link: LinkID

    /// In one transaction: the synced tree, the remote overlay, the upload's row, and the cursor when nobody else has
    /// committed in between.
    func settle(_ upload: UploadID, _ changes: [NodeChange], at head: Head) throws {
        try database.write { connection in
            let view = LocalView(connection, link: link)
            let remote = RemoteQueries(connection, link: link)
            var settled: [Plan.Settlement] = []
            for change in changes {
                let record = change.state.map { NodeRecord(node: change.node, revision: head.revision, state: $0) }
                if record != nil, try view.record(of: change.node) == nil {
                    // It was removed here before its answer came, and is not known here any more: it is news.
                    try remote.put([(change.node, RemoteNode(revision: head.revision, state: change.state))])
                } else {
                    settled.append(.init(node: change.node, record: record))
                }
            }
            try LocalQueries(connection, link: link).settle(settled)
            for settlement in settled {
                if settlement.record == nil {
                    try remote.put([(settlement.node, RemoteNode(revision: head.revision, state: nil))])
                }
                try remote.settle(settlement)
            }
            try UploadQueries(connection).remove(upload)
            guard let record = try LinkQueries(connection).record(link) else { return }
            if record.cursor.revision.next == head.revision { try LinkQueries(connection).setCursor(link, head) }
        }
    }
}
