import Metadata
import MetadataConformance
import MetadataSQLite
import Model
import Synchronization
import TestSupport
import Testing

/// Passes statements on, and keeps their texts.
private struct RecordingConnection: MetadataConnection {
    let base: any MetadataConnection
    let record: @Sendable (String) -> Void

    var dialect: SQLDialect { base.dialect }

    func query(_ sql: String, _ bindings: [SQLValue]) throws -> [SQLRow] {
        record(sql)
        return try base.query(sql, bindings)
    }

    func execute(_ sql: String, _ bindings: [SQLValue]) throws -> Int {
        record(sql)
        return try base.execute(sql, bindings)
    }

    func executeMany(_ sql: String, _ rows: [[SQLValue]]) throws -> Int {
        record(sql)
        return try base.executeMany(sql, rows)
    }
}

@Suite("The plans of the queries")
struct QueryPlanTests {
    /// What the collector asks again and again.
    private func callCollection(_ connection: any MetadataConnection) throws {
        let (account, pack) = (Fixture.account, PackID(high: 1, low: 1))
        let collection = CollectionQueries(connection)
        for kind in CondemnedKind.allCases {
            _ = try collection.condemned(kind, account: account, in: .all, limit: 5)
            _ = try collection.uncondemned(kind, account: account, in: .all, after: Fixture.digest(1), limit: 5)
            _ = try collection.condemn(kind, [Fixture.digest(1)], account: account, at: Fixture.time)
            _ = try collection.rescue(kind, [Fixture.digest(2)], account: account)
            _ = try collection.sweep(kind, [Fixture.digest(1)], account: account, condemnedBy: Fixture.time)
        }
        _ = try collection.roots(in: Fixture.namespace, after: nil, limit: 5)
        _ = try collection.pendingChangeSets(in: Fixture.namespace, after: nil, limit: 5)
        _ = try collection.use(of: pack)
        _ = try collection.doom([pack], at: Fixture.time)
        _ = try collection.decide(on: pack, at: Fixture.time)
        try collection.forget([pack])
    }

    /// Calls everything that has to stay fast in a large database.
    private func callAll(_ connection: any MetadataConnection) throws {
        let (namespace, account, block) = (Fixture.namespace, Fixture.account, Fixture.block(1))
        _ = try AccountQueries(connection).byName("ada")
        _ = try DeviceQueries(connection).byTokenHash(Fixture.digest(1))
        _ = try DeviceQueries(connection).all(of: account)
        _ = try DeviceQueries(connection).revoked(since: Fixture.time, atMost: 5)
        _ = try NamespaceQueries(connection).heads(of: account)
        _ = try NamespaceQueries(connection).revisions(of: [namespace, namespace])
        let nodes = NodeQueries(connection)
        for revision in [nil, Revision(1)] {
            _ = try nodes.node(Fixture.node(1), in: namespace, at: revision)
            _ = try nodes.child(.root, Fixture.name("a"), in: namespace, at: revision)
            _ = try nodes.children(of: .root, in: namespace, limit: 5, at: revision)
        }
        _ = try nodes.nodes([.root], in: namespace)
        _ = try nodes.changes(in: namespace, since: .zero, upTo: Revision(5), limit: 5)
        try callCollection(connection)
        let commits = CommitQueries(connection)
        _ = try commits.commits(in: namespace, from: .zero, limit: 5)
        _ = try commits.changes(of: Revision(1), in: namespace)
        try callVersions(connection)
        let changes = [
            NodeChange(1, Fixture.folder("a")), NodeChange(2, Fixture.file("b")), NodeChange(3, base: 1, nil),
        ]
        for upload in 1...2 as ClosedRange<UInt64> {
            let request = CommitRequest(
                namespace: namespace, upload: Fixture.upload(upload), device: Fixture.device,
                changes: upload == 1 ? Array(changes[..<2]) : [NodeChange(1, base: 1, nil)])
            _ = try commits.apply(request, at: Fixture.time, hash: TestHash.digest)
        }
        let thinning = ThinningQueries(connection)
        _ = try thinning.namespaces(after: nil, limit: 5)
        _ = try thinning.files(in: namespace, after: nil, limit: 5)
        _ = try thinning.states(of: Fixture.node(1), in: namespace)
        _ = try thinning.lastPlace(of: Fixture.node(1), in: namespace)
        _ = try thinning.bytes(in: namespace, after: nil, .zero, limit: 5)
        _ = try thinning.thin(
            Fixture.node(1), in: namespace, past: [Revision(1)], from: Revision(1), to: Revision(2), at: Fixture.time)
        let work = WorkProgressQueries(connection)
        try work.set([1], of: "work", at: Fixture.time)
        _ = try work.value(of: "work")
        try work.set(nil, of: "work", at: Fixture.time)
        _ = try RetentionQueries(connection).all(of: account)
        _ = try QuotaQueries(connection).stored(by: account)
        _ = try PageQueries(connection).missing([Fixture.page(1)], account: account)
        _ = try BlockQueries(connection).locations([block], account: account)
        _ = try BlockQueries(connection).blocks(in: PackID(high: 1, low: 1), limit: 5)
        try callArchive(connection)
        try callLeases(connection)
        let uploads = UploadQueries(connection)
        try uploads.create(Fixture.uploadRecord(1, changes: [1]))
        try uploads.addMissing(Fixture.upload(1), [block])
        _ = try uploads.settle([block], account: account)
        _ = try uploads.pending(in: namespace)
        _ = try uploads.expire(before: Fixture.time.advanced(by: .seconds(999_999)))
        try uploads.forget(before: Fixture.time.advanced(by: .seconds(999_999)))
    }

    /// What the history asks for.
    private func callVersions(_ connection: any MetadataConnection) throws {
        let (namespace, node) = (Fixture.namespace, Fixture.node(1))
        let versions = VersionQueries(connection)
        _ = try versions.versions(of: node, in: namespace, limit: 5)
        _ = try versions.version(of: node, in: namespace, at: Revision(1))
        _ = try versions.versions(of: [node], in: namespace, at: Revision(1))
        _ = try versions.keptVersions(around: Revision(1), of: node, in: namespace)
        _ = try versions.deletions(in: namespace, limit: 5)
        _ = try versions.holders(of: RemotePath("/a/b"), in: namespace)
        _ = try versions.thinned(
            among: [ChangePosition(revision: Revision(1), node: node)], in: namespace)
        _ = try versions.path(of: node, in: namespace, at: Revision(1))
        let commits = CommitQueries(connection)
        _ = try commits.commits(of: [Revision(1)], in: namespace)
        _ = try commits.revision(at: Timestamp(nanoseconds: 0), in: namespace)
        _ = try commits.revisions(by: Fixture.device, from: Fixture.time, until: Fixture.time, in: namespace)
        let pins = PinQueries(connection)
        try pins.set(
            PinRecord(node: node, revision: Revision(1), name: "a", device: Fixture.device, created: Fixture.time),
            in: namespace)
        _ = try pins.pins(of: node, in: namespace)
        _ = try pins.remove(node, nil, in: namespace)
    }

    /// What the jobs ask for.
    private func callLeases(_ connection: any MetadataConnection) throws {
        let leases = LeaseQueries(connection)
        guard let lease = try leases.take("job", by: LeaseHolder(high: 1, low: 1), after: nil) else { return }
        try leases.beat(lease)
        try leases.ensure(lease)
        _ = try leases.take("job", by: lease.holder, after: leases.record(of: "job"))
        try leases.release(lease)
    }

    /// What the archive asks for.
    private func callArchive(_ connection: any MetadataConnection) throws {
        let (namespace, account, block) = (Fixture.namespace, Fixture.account, Fixture.block(1))
        let start = ChangePosition(revision: .zero, node: .root)
        let archive = ArchiveQueries(connection)
        let today = Day(Fixture.time)
        _ = try archive.movable([block], account: account, unreadSince: today, today: today)
        _ = try archive.areInUse([block], account: account, readSince: today, today: today)
        let stored = StoredBlock(id: block, plainLength: 1, pack: PackID(high: 1, low: 1), offset: 1, length: 1)
        let move = BlockMove(from: stored, pack: PackID(high: 2, low: 2), offset: 1, length: 1)
        _ = try archive.archive([move], account: account, today: today)
        _ = try archive.bringBack([move], account: account, keeping: today)
        try archive.keep([block], account: account, until: today)
        try archive.noteReads([block], account: account, on: today)
        _ = try (archive.hasAny(account), archive.isNamed(move.pack), archive.total(of: account))
        _ = try archive.endedVersions(in: namespace, after: start, upTo: Revision(5), limit: 5)
        _ = try archive.begunVersions(in: namespace, after: start, upTo: Revision(5), limit: 5)
        _ = try archive.currentFiles(in: namespace, after: .root, limit: 5)
        let thaws = ThawQueries(connection)
        let request = ThawRequest(
            account: account, content: ContentID(level: 0, digest: Fixture.digest(1)), device: Fixture.device,
            requested: Fixture.time)
        try thaws.ask([request])
        _ = try thaws.requests(for: [request.content], account: account, device: Fixture.device)
        _ = try (thaws.due(by: Fixture.time, limit: 5), thaws.nextReady())
        try thaws.expect([request], at: Fixture.time)
        _ = try thaws.end([request], as: .ready, at: Fixture.time, until: Fixture.time)
        try thaws.forget(before: Fixture.time)
    }

    @Test("never go through a whole table, and never sort one")
    func noScans() async throws {
        let directory = TemporaryDirectory()
        let database = try SQLiteMetadataDatabase(path: directory.appending("metadata.db"))
        try await database.prepareHome()
        let texts = Mutex<Set<String>>([])
        try await database.write { connection throws in
            try callAll(RecordingConnection(base: connection) { sql in _ = texts.withLock { $0.insert(sql) } })
        }
        let recorded = texts.withLock { $0 }
        #expect(recorded.count > 35)
        for sql in recorded {
            let found = try await database.read { try complaints(about: sql, $0) }
            #expect(found.isEmpty, "\(found) in \(sql)")
        }
        try await database.close()
    }

    @Test("are complained of when they do")
    func complains() async throws {
        let directory = TemporaryDirectory()
        let database = try SQLiteMetadataDatabase(path: directory.appending("metadata.db"))
        let found = try await database.read { connection in
            try [
                "SELECT node FROM node WHERE mode = $1", "SELECT node FROM node WHERE namespace = $1 ORDER BY mode",
                "SELECT node FROM node WHERE namespace = $1",
            ].map { try complaints(about: $0, connection).count }
        }
        #expect(found == [1, 1, 0])
        try await database.close()
    }
}

/// The steps of the plan of a statement that go through a whole table, or sort one.
private func complaints(about sql: String, _ connection: any MetadataConnection) throws -> [String] {
    try connection.query("EXPLAIN QUERY PLAN " + sql, [SQLValue](repeating: .null, count: 20)).compactMap { row in
        let step = try row.text(3)
        // Lists that the statement itself brings are no tables.
        let brought = ["CONSTANT ROW", "wanted", "entry"]
        let scans = step.hasPrefix("SCAN") && !brought.contains { step.contains($0) }
        // The devices of one account are few.
        let sorts = step.contains("TEMP B-TREE") && !sql.contains("FROM device")
        return scans || sorts ? step : nil
    }
}
