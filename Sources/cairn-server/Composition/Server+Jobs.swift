import Files
import HTTPAPI
import Metadata
import Model
import Notifications
import ServiceLifecycle

/// What a server does without being asked.
extension Server {
    /// The jobs that run in one of the processes that have the role for them, and what each process does for itself.
    func jobs() -> [any Service] {
        var services: [any Service] = []
        if configuration.roles.contains(.maintenance) { services += leasedJobs() }
        if configuration.needsStore {
            // What buckets lack every process finds there, so one does it for all.
            if backends.buckets == nil {
                services.append(
                    RepairService(store: backends.store, turn: backends.isAlone ? nil : hold("repair"), log: log))
            }
            if context.archive != nil { services.append(ReadNotesService(note: NoteReads(context), log: log)) }
        }
        if let queue { services.append(queue.upkeep) }
        return services
    }

    private func leasedJobs() -> [any Service] {
        let (database, clock, log) = (backends.database, context.clock, log)
        let thinning = ThinningService(
            thin: ThinVersions(database: database, clock: clock),
            relieve: RelieveQuotas(database: database, clock: clock), log: log)
        let expiry = ExpiryService(expire: ExpireUploads(context), log: log)
        var services: [any Service] = [leased("expiry") { _ in expiry }, leased("thinning") { _ in thinning }]
        if let buckets = backends.buckets {
            services.append(leased("repair") { _ in RepairService(store: buckets, turn: nil, log: log) })
            services.append(leased("comparison") { _ in CompareRegionsService(store: buckets, log: log) })
        }
        if configuration.collection.interval > .zero {
            let collector = collector()
            services.append(leased("collection") { _ in collector })
        }
        if let rate = configuration.scrubRate {
            let scrub = ScrubPacks(
                database: database, store: backends.store, clock: clock, rate: rate,
                pause: { try await Task.sleep(for: $0) }, log: log)
            services.append(leased("scrub") { _ in ScrubService(scrub: scrub, log: log) })
        }
        if let archive = context.archive, let choice = configuration.archive {
            let thaw = ThawBlocks(context, queue: queue?.queue)
            services.append(
                leased("archive") { [context] lease in
                    ArchiveService(context: context, archive: archive, thaw: thaw, round: choice.round, lease: lease)
                })
        }
        if let feeder = queue?.feeder {
            services.append(
                leased("queue feeding") { _ in
                    // What the one before had heard of and not told is in the journal.
                    feeder.fillIn()
                    return feeder
                })
        }
        return services
    }

    private func leased(
        _ name: String, _ job: @escaping @Sendable (_ lease: Lease) -> any Service
    ) -> LeasedService {
        LeasedService(description: name, hold: hold(name), job: job)
    }

    private func hold(_ name: String) -> HoldLease {
        HoldLease(name, by: holder, database: backends.database, rules: leaseRules, log: log)
    }

    private var leaseRules: LeaseRules {
        let start = ContinuousClock.now
        var rules = LeaseRules(
            elapsed: { ContinuousClock.now - start }, pause: { try await Task.sleep(for: $0, clock: .continuous) })
        rules.length = configuration.lease
        rules.isAlone = backends.isAlone
        return rules
    }

    private func collector() -> CollectionService {
        let pace = CollectionPace.bounded(
            rest: CollectionService.rest, bytesPerSecond: configuration.collection.bytesPerSecond
        ) { try await Task.sleep(for: $0) }
        var limits = configuration.collection.limits
        // A bucket gets a pack of its own for each append.
        if backends.buckets != nil { limits.copyBytes = max(limits.copyBytes, configuration.storage.packSize) }
        return CollectionService(
            collect: CollectGarbage(context, limits: limits, pace: pace),
            interval: configuration.collection.interval, clock: context.clock, log: log)
    }
}
