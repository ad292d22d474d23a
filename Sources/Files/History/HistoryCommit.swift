import Metadata
import Model

/// Makes a plan by the present tree and commits it. When the tree has changed in between nothing is overwritten: the
/// commit is refused, and a new plan is made.
struct HistoryCommit: Sendable {
    let context: FilesContext
    let namespace: NamespaceID
    let principal: Principal
    let path: RemotePath

    /// How often a plan is made anew before that is given up.
    private static let attempts = 8

    private struct Proposal: Sendable {
        let head: Head
        let plan: HistoryPlan
        let changes: [HistoryChange]
        let left: [LeftNode]
    }

    /// Carries out what `make` plans; with `dryRun` says only what that would be.
    /// - Parameters:
    ///   - dryRun: Whether nothing is changed.
    ///   - revision: What is brought back, for the outcome.
    ///   - make: Makes the plan, within a transaction that reads.
    /// - Returns: What was done, or would be.
    /// - Throws: ``FilesError`` `conflict` when others change the same nodes all the time; what was committed until
    ///   then stays. And what `make` throws.
    func run(
        dryRun: Bool, to revision: Revision?,
        _ make: @escaping @Sendable (any MetadataConnection) throws -> HistoryPlan
    ) async throws -> HistoryOutcome {
        var named: [HistoryChange] = []
        var (count, commits) = (0, 0)
        for _ in 0..<Self.attempts {
            let proposal = try await propose(make)
            let batches = PlanOrder.batches(proposal.plan, limit: context.limits.removalBatch)
            func outcome(_ head: Head, _ added: Int, _ batches: Int) -> HistoryOutcome {
                HistoryOutcome(
                    head: head, revision: revision, changeCount: count + added,
                    changes: Array((named + proposal.changes).prefix(HistoryOutcome.mostNamed)),
                    leftCount: proposal.plan.left.count, left: proposal.left, commits: commits + batches)
            }
            if dryRun || batches.isEmpty {
                return outcome(proposal.head, proposal.plan.changes.count, batches.count)
            }
            let result = try await commit(batches, proposal.plan.sources)
            if let head = result.head { return outcome(head, proposal.plan.changes.count, batches.count) }
            let done = Set(batches.prefix(result.done).joined().map(\.node))
            named += proposal.changes.filter { done.contains($0.node) }
            count += done.count
            commits += result.done
        }
        throw FilesError(.conflict, "\(path) changes all the time: try again when it is quiet")
    }

    private func propose(
        _ make: @escaping @Sendable (any MetadataConnection) throws -> HistoryPlan
    ) async throws -> Proposal {
        try await context.database.read { connection in
            let head = try Access.head(connection, namespace, principal)
            let plan = try make(connection)
            var report = PlanReport(plan, connection, namespace)
            return Proposal(head: head, plan: plan, changes: try report.changes(), left: try report.left())
        }
    }

    /// Commits one batch after the other until one is refused.
    /// - Returns: how many were done, and the head when that is all of them.
    private func commit(
        _ batches: [[NodeChange]], _ sources: [NodeID: ChangePosition]
    ) async throws -> (done: Int, head: Head?) {
        let namespace = namespace
        let commit = TreeCommit(
            context: context, namespace: namespace, principal: principal, path: path, takesArchived: true)
        var head: Head?
        for (index, batch) in batches.enumerated() {
            do {
                head = try await commit.run(upload: context.randomness.identifier()) { connection in
                    try Self.checkSources(batch.compactMap { sources[$0.node] }, namespace, connection)
                    return batch
                }
            } catch let error as FilesError where error.code == .conflict || error.code == .alreadyExists {
                return (index, nil)
            }
        }
        return (batches.count, head)
    }

    /// What is brought back has to be kept still when it is named anew: else its bytes may be about to be collected.
    private static func checkSources(
        _ sources: [ChangePosition], _ namespace: NamespaceID, _ connection: any MetadataConnection
    ) throws {
        if try !VersionQueries(connection).thinned(among: sources, in: namespace).isEmpty {
            throw FilesError(.conflict, "a version was given up meanwhile")
        }
    }
}
