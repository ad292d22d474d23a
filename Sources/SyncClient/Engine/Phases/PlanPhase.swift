import Model
import SyncPlanning

/// Plans, and writes down what needs no disk and no server: new ids, settled nodes, conflicts.
struct PlanPhase {
    let context: EngineContext
    let link: LinkID

    func plan() async throws -> Plan {
        let planner = SyncPlanner(device: context.device, date: ISOTime.day(context.clock.now()))
        let plan = try await context.onWorker {
            try context.database.read { connection in
                var generator = context.random
                return try planner.plan(
                    synced: StoredSyncedTree(connection, link: link),
                    remote: try RemoteQueries(connection, link: link).overlay(),
                    local: try LocalQueries(connection, link: link).overlay(newLimit: context.limits.newInPlan),
                    using: &generator)
            }
        }
        try context.step(.planned)
        return plan
    }

    func note(_ identities: [Plan.Identity]) async throws {
        if identities.isEmpty { return }
        try await context.onWorker {
            try context.database.write { try LocalQueries($0, link: link).rename(identities) }
        }
        try context.step(.identitiesNoted)
    }

    /// Takes nodes whose steps are done into the synced tree, and out of the remote overlay.
    func settle(_ settlements: [Plan.Settlement]) async throws {
        if settlements.isEmpty { return }
        try await context.onWorker {
            try context.database.write { try Self.settle(settlements, of: link, $0) }
        }
        try context.step(.planSettled)
    }

    static func settle(_ settlements: [Plan.Settlement], of link: LinkID, _ connection: StateConnection) throws {
        try LocalQueries(connection, link: link).settle(settlements)
    }

    /// Notes for people where both versions of something were kept.
    func note(
        _ conflicts: [Plan.Conflict], kept: [(path: LocalPath, kept: LocalPath)], except failed: Set<NodeID>
    ) async throws -> [StoredConflict] {
        if conflicts.isEmpty && kept.isEmpty { return [] }
        let time = context.clock.now()
        return try await context.onWorker {
            try context.database.write { connection in
                let view = LocalView(connection, link: link)
                var stored = kept.map { StoredConflict(path: $0.path, kept: $0.kept, time: time) }
                for conflict in conflicts where !failed.contains(conflict.loser) {
                    let loser = try view.path(of: conflict.loser, root: .root)
                    let place = (loser?.parent ?? .root).appending(conflict.name)
                    let winner = try view.path(of: conflict.winner, root: .root) ?? place
                    stored.append(StoredConflict(path: winner, kept: place, time: time))
                }
                for conflict in stored { try StatusQueries(connection, link: link).note(conflict) }
                return stored
            }
        }
    }
}
