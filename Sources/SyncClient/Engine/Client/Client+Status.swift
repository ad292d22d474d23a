import Model
import WireProtocol

extension Client {
    /// What is in sync, and what waits and why. Asks the server for its heads; without an answer it says so.
    public func status() async throws -> StatusReport {
        let records = try await onWorker { [database] in try database.read { try LinkQueries($0).all() } }
        var report = StatusReport(
            server: credentials.server, account: credentials.account, device: credentials.device, serverProblem: nil,
            links: [])
        for record in records {
            var status = try await onWorker { [self] in try localStatus(record) }
            if report.serverProblem == nil {
                do {
                    try await ask(record, &status)
                } catch let error as ClientError {
                    report.serverProblem = error.message
                }
            }
            report.links.append(status)
        }
        return report
    }

    /// What the last pass and all passes did.
    public func stats() throws -> StatsReport {
        let counters = try database.read { try CounterQueries($0).all() }
        return StatsReport(
            last: PassCounts(named: counters.mapValues(\.last)), total: PassCounts(named: counters.mapValues(\.total)))
    }

    private func ask(_ record: LinkRecord, _ status: inout LinkStatus) async throws {
        let cursor = record.cursor.revision
        let answer = try await server.changes(in: record.namespace, since: cursor, upTo: nil, after: nil)
        status.head = answer.head.revision.number
        if answer.head.revision != cursor { status.isInSync = false }
        status.pending = try await server.pendingUploads(in: record.namespace)
    }

    private func localStatus(_ record: LinkRecord) throws -> LinkStatus {
        let isBusy = LinkLock.isHeld(home.lock(of: record.id.rawValue))
        return try database.read { connection in
            let queries = StatusQueries(connection, link: record.id)
            let problems = try queries.problems()
            let local = try LocalQueries(connection, link: record.id).count()
            let remote = try RemoteQueries(connection, link: record.id).count()
            let note = try PassNote.load(connection, link: record.id)
            return LinkStatus(
                folder: record.folder.description, remote: record.remote.description,
                isInSync: problems.isEmpty && local == 0 && remote == 0 && note?.ended != nil && note?.problem == nil,
                revision: record.cursor.revision.number, head: nil, isBusy: isBusy,
                lastPass: note?.ended, problem: note?.problem, changesToSend: local, changesToApply: remote,
                waiting: problems.map { WaitingItem($0) },
                conflicts: try queries.conflicts(limit: 20).map { ConflictEntry($0) }, pending: [])
        }
    }
}

extension WaitingItem {
    init(_ stored: StoredProblem) {
        self.init(
            path: stored.problem.path.description, code: stored.problem.code.rawValue,
            message: stored.problem.message, since: ISOTime.text(stored.since))
    }
}

extension ConflictEntry {
    init(_ stored: StoredConflict) {
        self.init(
            path: stored.path.description, kept: stored.kept.description, time: ISOTime.text(stored.time))
    }
}
