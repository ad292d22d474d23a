import Model
import Synchronization

/// Runs passes over one link, and writes down what came of them for `status` and `stats`.
///
/// Holds the link's lock: as long as it lives no other process works on the link.
final class LinkEngine: Sendable {
    let link: LinkID
    let folder: String
    private let makeContext: @Sendable () -> EngineContext
    private let meter: TrafficMeter
    private let lock: LinkLock

    init(
        link: LinkID, folder: String, home: ClientHome, meter: TrafficMeter,
        context: @escaping @Sendable () -> EngineContext
    ) throws {
        self.link = link
        self.folder = folder
        self.meter = meter
        makeContext = context
        lock = try LinkLock(home.lock(of: link.rawValue), folder: folder)
    }

    /// Makes one pass.
    /// - Throws: ``ClientError``; it is noted as the problem of the link as a whole, too.
    func pass(_ options: PassOptions) async throws -> (outcome: PassOutcome, result: SyncResult) {
        let context = makeContext()
        let start = context.clock.now()
        do {
            if options.confirmsDeletions { try await acceptFolder(context) }
            let link = try await context.onWorker { try context.database.link(self.link) }
            let outcome = try await SyncPass(context: context, link: link, options: options).run()
            let result = try await note(outcome, options, start, context)
            return (outcome, result)
        } catch let error as ClientError {
            try await note(failure: error, context)
            throw error
        }
    }

    /// At the user's word another folder at the place of the linked one is the linked one.
    private func acceptFolder(_ context: EngineContext) async throws {
        try await context.onWorker {
            let record = try context.database.link(self.link).record
            let identity = try LinkedFolder.identity(of: record.folder)
            try context.database.writeDurably { try LinkQueries($0).setIdentity(self.link, identity) }
        }
    }

    private func note(
        _ outcome: PassOutcome, _ options: PassOptions, _ start: Timestamp, _ context: EngineContext
    ) async throws -> SyncResult {
        context.counter.add(meter.take())
        let counts = context.counter.current
        let end = context.clock.now()
        return try await context.onWorker {
            try context.database.write { connection in
                let status = StatusQueries(connection, link: self.link)
                try status.note(outcome.problems, at: end)
                try Self.dropOldProblems(status, outcome, options, before: end)
                try CounterQueries(connection).note(pass: counts.named)
                try PassNote(ended: ISOTime.text(end)).save(connection, link: self.link)
                let problems = try status.problems()
                return SyncResult(
                    isInSync: problems.isEmpty && outcome.dirty.isEmpty, revision: outcome.revision.number,
                    waiting: problems.map { WaitingItem($0) }, conflicts: outcome.conflicts.map { ConflictEntry($0) },
                    counts: counts)
            }
        }
    }

    /// A full pass has met every problem that there is. One over some folders has met all but those of other folders
    /// that can't be looked into.
    private static func dropOldProblems(
        _ status: StatusQueries, _ outcome: PassOutcome, _ options: PassOptions, before moment: Timestamp
    ) throws {
        guard case .folders(let scope) = options.scope else { return try status.dropProblems(before: moment) }
        for stored in try status.problems() where stored.seen < moment {
            let path = stored.problem.path
            let isScanned = scope.contains(path) || scope.contains(path.parent ?? .root)
            let isOfScan = stored.problem.code == .permissionDenied || stored.problem.code == .io
            if isScanned || !isOfScan { try status.dropProblem(at: path) }
        }
    }

    private func note(failure: ClientError, _ context: EngineContext) async throws {
        context.counter.add(meter.take())
        let counts = context.counter.current
        try await context.onWorker {
            try context.database.write { connection in
                var note = try PassNote.load(connection, link: self.link) ?? PassNote()
                note.problem = failure.message
                note.code = failure.code.rawValue
                try note.save(connection, link: self.link)
                try CounterQueries(connection).note(pass: counts.named)
            }
        }
    }
}

/// Divides the traffic of a server among the passes.
final class TrafficMeter: Sendable {
    private let server: any SyncServer
    private let taken = Mutex(Traffic())

    init(_ server: any SyncServer) {
        self.server = server
    }

    /// What has gone over the wire since the last time.
    func take() -> Traffic {
        let now = server.traffic
        return taken.withLock { taken in
            defer { taken = now }
            return now - taken
        }
    }
}
