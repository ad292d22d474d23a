import Model
import SyncPlanning

/// One pass over a link: fetch, scan, read, plan, receive, send, settle, until nothing is left but what has to wait.
///
/// It may be stopped, or killed, anywhere: everything it did is either written down or found again by the next pass.
struct SyncPass {
    let context: EngineContext
    let link: EngineLink
    let options: PassOptions

    /// What the rounds of a pass share.
    private struct State {
        var outcome = PassOutcome()
        /// Where the reading of files goes on; nil when all were tried.
        var nextUnread: Int64? = 0
        var refusals = 0
        var rescans = 0
        /// Rounds in a row that moved nothing but the client's own notes.
        var idleRounds = 0
        var lastCommit = Revision.zero
        /// Set when the account is full: what needs room is not sent any more in this pass.
        var full: FullAccount?
    }

    private static let mostRefusals = 10
    private static let mostRescans = 3
    private static let mostIdleRounds = 5

    func run() async throws -> PassOutcome {
        let folder = try await context.onWorker { try LinkedFolder(link.record) }
        let applier = try await context.onWorker { try makeApplier(folder) }
        var state = State()
        if options.recovers { try await recover(applier, &state) }
        if options.fetches {
            context.progress.begin(.fetching)
            try await RemoteFetch(context: context, link: link.id).run(verify: options.verifiesHistory)
        }
        try await scan(options.scope, folder, &state)
        if !options.confirmsDeletions {
            try await context.onWorker { try DeletionGuard(database: context.database, link: link.id).check() }
        }
        try await read(folder, &state)
        while try await round(folder, applier, &state) {}
        let isThawing = state.outcome.retryAfter != nil
        try await context.onWorker {
            // What has come of a file that waits for the rest is not asked for again.
            if !isThawing { try applier.finish() }
            try context.database.write { connection in
                try RecipeQueries(connection).sweep(link.id)
                try RemoteQueries(connection, link: link.id).forgetRemovals()
            }
        }
        state.outcome.revision = try await context.onWorker { try context.database.link(link.id).cursor.revision }
        context.progress.begin(.idle)
        return state.outcome
    }

    private func makeApplier(_ folder: LinkedFolder) throws -> ApplierBox {
        let naming = ConflictNaming(device: context.device, date: ISOTime.day(context.clock.now()))
        return ApplierBox(
            try Applier(
                folder: folder, link: link.record, database: context.database, clock: context.clock,
                naming: naming))
    }

    private func recover(_ applier: ApplierBox, _ state: inout State) async throws {
        let report = try await context.onWorker { try applier.recover() }
        state.outcome.problems += report.problems
        state.outcome.conflicts += try await phase.note([], kept: report.kept, except: [])
        try await UploadRecovery(context: context, link: link).run()
    }

    private var phase: PlanPhase { PlanPhase(context: context, link: link.id) }

    // MARK: The disk

    private func scan(_ scope: ScanScope, _ folder: LinkedFolder, _ state: inout State) async throws {
        context.progress.begin(.scanning)
        let report = try await context.onWorker {
            try Scanner(folder: folder, link: link.record, database: context.database, clock: context.clock)
                .scan(scope, using: context.random)
        }
        context.progress.advance(files: report.entries)
        state.outcome.problems += report.problems
        state.outcome.dirty.formUnion(report.unsettled)
        state.nextUnread = 0
        try context.step(.scanned)
    }

    private func read(_ folder: LinkedFolder, _ state: inout State) async throws {
        guard let start = state.nextUnread else { return }
        context.progress.begin(.reading)
        take(try await ReadPhase(context: context, link: link, folder: folder).run(after: start), &state)
    }

    private func take(_ portion: ReadPhase.Portion, _ state: inout State) {
        state.nextUnread = portion.next
        state.outcome.problems += portion.problems
        state.outcome.dirty.formUnion(portion.dirty)
        if portion.read > 0 { state.idleRounds = 0 }
    }

    // MARK: Rounds

    /// - Returns: Whether there is more to do.
    private func round(_ folder: LinkedFolder, _ applier: ApplierBox, _ state: inout State) async throws -> Bool {
        let plan = try await phase.plan()
        if plan.isEmpty { return try await rest(folder, &state) }
        try await phase.note(plan.identities)
        let received = try await DownloadPhase(context: context, folder: folder, applier: applier)
            .run(plan.local, settling: plan.settled)
        state.outcome.retryAfter = received.retryAfter
        try await phase.settle(
            plan.settled.filter { !received.failed.contains($0.node) && !received.settled.contains($0.node) })
        state.outcome.conflicts += try await phase.note(
            plan.conflicts, kept: received.kept, except: received.failed)
        let sent = try await send(plan.remote, folder, &state)
        if sent.isRefused {
            state.refusals += 1
            guard state.refusals <= Self.mostRefusals else {
                throw ClientError(
                    .conflict, "the server refuses the changes again and again: others change it all the time")
            }
            try await RemoteFetch(context: context, link: link.id).run(verify: false)
        }
        let didSomething = received.done + sent.committed > 0 || sent.isRefused
        state.idleRounds = didSomething ? 0 : state.idleRounds + 1
        let isStuck = state.idleRounds >= Self.mostIdleRounds
        let onlyFails =
            !didSomething && plan.identities.isEmpty
            && plan.settled.allSatisfy { received.failed.contains($0.node) }
        state.outcome.problems = Self.merged(state.outcome.problems, received.problems + sent.problems)
        state.outcome.dirty.formUnion(sent.dirty)
        // What thaws is tried again when it is ready, not at once.
        state.outcome.dirty.formUnion(
            received.problems.filter { $0.code != .thawing }.map { $0.path.parent ?? .root })
        if (isStuck || onlyFails) && state.nextUnread == nil { return try await rest(folder, &state) }
        return true
    }

    /// Sends, and reads the next files meanwhile.
    private func send(
        _ groups: [[NodeChange]], _ folder: LinkedFolder, _ state: inout State
    ) async throws -> UploadPhase.Report {
        let reading = ReadPhase(context: context, link: link, folder: folder)
        let start = state.nextUnread
        async let portion = start == nil ? nil : reading.run(after: start ?? 0)
        let report = try await UploadPhase(context: context, link: link, folder: folder)
            .run(groups, full: state.full)
        state.full = report.full
        if let portion = try await portion { take(portion, &state) }
        state.lastCommit = max(state.lastCommit, report.lastCommit)
        return report
    }

    /// Nothing is left to do with what is known: looks whether something became known meanwhile.
    private func rest(_ folder: LinkedFolder, _ state: inout State) async throws -> Bool {
        if state.nextUnread != nil {
            try await read(folder, &state)
            return true
        }
        if !state.outcome.dirty.isEmpty, state.rescans < Self.mostRescans {
            state.rescans += 1
            let dirty = state.outcome.dirty
            state.outcome.dirty = []
            // What was a problem there is either met again or gone.
            state.outcome.problems.removeAll { dirty.contains($0.path.parent ?? .root) || dirty.contains($0.path) }
            try await scan(.folders(dirty), folder, &state)
            try await read(folder, &state)
            return true
        }
        // Somebody else committed between two of our commits: that is still to come.
        let cursor = try await context.onWorker { try context.database.link(link.id).cursor.revision }
        if state.lastCommit > cursor {
            state.lastCommit = .zero
            try await RemoteFetch(context: context, link: link.id).run(verify: false)
            return true
        }
        return false
    }

    /// Problems by their paths: the newest counts.
    private static func merged(_ old: [Problem], _ new: [Problem]) -> [Problem] {
        let paths = Set(new.map(\.path))
        return old.filter { !paths.contains($0.path) } + new
    }
}
