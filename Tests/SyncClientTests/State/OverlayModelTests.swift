import GRDB
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

/// The three tables of trees beside dictionaries that do the same: after any history both say the same.
@Suite("Trees in the state against a model")
struct OverlayModelTests {
    /// What the tables should hold, by the plainest means.
    struct Model {
        var synced: [NodeID: NodeRecord] = [:]
        var local: [NodeID: LocalRecord] = [:]
        var remote: [NodeID: RemoteNode] = [:]

        mutating func note(_ record: LocalRecord) {
            let known = synced[record.node]
            if case .present(let state) = record.condition, known?.state == state {
                local[record.node] = nil
            } else if case .removed = record.condition, known == nil {
                local[record.node] = nil
            } else {
                local[record.node] = record
            }
        }

        mutating func settle(_ settlement: Plan.Settlement) {
            let node = settlement.node
            guard let record = settlement.record else {
                if let remoteNode = remote[node], remoteNode.state == nil { remote[node] = nil }
                synced[node] = nil
                if local[node]?.condition == .removed { local[node] = nil }
                return
            }
            let onDisk = local[node] ?? synced[node].map { present($0) }
            guard let onDisk else { return }
            if let remoteNode = remote[node], remoteNode.revision <= record.revision { remote[node] = nil }
            synced[node] = record
            local[node] = onDisk.condition == .present(record.state) ? nil : onDisk
        }

        private func present(_ record: NodeRecord) -> LocalRecord {
            LocalRecord(
                node: record.node, condition: .present(record.state), fingerprint: Sample.fingerprint(0))
        }

        /// The disk as last seen.
        func view(_ node: NodeID) -> LocalRecord.Condition? {
            local[node]?.condition ?? synced[node].map { .present($0.state) }
        }

        func planned(_ node: NodeID) -> LocalNode? {
            switch local[node]?.condition {
            case .present(let state): return .present(state)
            case .parked(let state): return .parked(state)
            case .removed: return .removed
            case .unread(let placement):
                guard var state = synced[node]?.state else { return nil }
                state.placement = placement
                return .present(state)
            case nil: return nil
            }
        }
    }

    let directory = TemporaryDirectory()
    let database: ClientDatabase
    let link: LinkID

    init() throws {
        database = try ClientDatabase(path: directory.appending("state.db"))
        link = try database.write {
            try LinkQueries($0).add(
                folder: LocalPath(bytes: [0x2F]), remote: .root, namespace: NamespaceID(high: 1, low: 1), root: .root,
                identity: FolderIdentity(device: 1, inode: 2, born: 3))
        }
    }

    /// Nodes, names, folders and contents of a world small enough that everything meets everything.
    func state(_ dice: inout SeededGenerator) -> NodeState {
        Sample.file(
            UInt64.random(in: 0..<3, using: &dice), parent: Sample.node(UInt64.random(in: 100..<103, using: &dice)),
            name: "n\(Int.random(in: 0..<4, using: &dice))", level: UInt8.random(in: 0...1, using: &dice))
    }

    func condition(_ dice: inout SeededGenerator) -> LocalRecord.Condition {
        switch Int.random(in: 0..<6, using: &dice) {
        case 0: .removed
        case 1: .parked(state(&dice))
        case 2: .unread(state(&dice).placement)
        default: .present(state(&dice))
        }
    }

    @Test("after random notes and settlements both hold the same", arguments: 1...8)
    func histories(seed: UInt64) throws {
        var dice = SeededGenerator(seed: seed)
        var model = Model()
        for step in 0..<150 {
            let node = Sample.node(UInt64.random(in: 0..<6, using: &dice))
            let revision = Revision(UInt64.random(in: 1..<9, using: &dice))
            try database.write { connection in
                switch Int.random(in: 0..<4, using: &dice) {
                case 0, 1:
                    let record = LocalRecord(
                        node: node, condition: condition(&dice), fingerprint: Sample.fingerprint(UInt64(step)))
                    try LocalQueries(connection, link: link).note([record])
                    model.note(record)
                case 2:
                    let isGone = Int.random(in: 0..<3, using: &dice) == 0
                    let remote = RemoteNode(revision: revision, state: isGone ? nil : state(&dice))
                    try RemoteQueries(connection, link: link).put([(node, remote)])
                    model.remote[node] = remote
                default:
                    // Often what is on disk, as it should be; sometimes anything.
                    let onDisk: NodeState? = if case .present(let state) = model.view(node) { state } else { nil }
                    let settled = Int.random(in: 0..<4, using: &dice) > 0 ? onDisk : state(&dice)
                    let record = settled.map { NodeRecord(node: node, revision: revision, state: $0) }
                    let settlement = Plan.Settlement(node: node, record: record)
                    try LocalQueries(connection, link: link).settle([settlement])
                    model.settle(settlement)
                }
            }
            try expectSame(model, "seed \(seed), step \(step)")
        }
    }

    func expectSame(_ model: Model, _ comment: Comment) throws {
        try database.read { connection throws in
            let view = LocalView(connection, link: link)
            #expect(try RemoteQueries(connection, link: link).overlay() == model.remote, comment)
            let overlay = try LocalQueries(connection, link: link).overlay()
            var children: [NodeID: Set<NodeID>] = [:]
            for number in 0..<6 as Range<UInt64> {
                let node = Sample.node(number)
                let synced = try SyncedQueries(connection, link: link).record(of: node)?.record
                #expect(synced == model.synced[node], comment)
                #expect(try view.record(of: node)?.condition == model.view(node), comment)
                #expect(overlay[node] == model.planned(node), comment)
                if case .present(let state) = model.view(node) { children[state.parent, default: []].insert(node) }
                if case .unread(let placement) = model.view(node) {
                    children[placement.parent, default: []].insert(node)
                }
            }
            for number in 100..<103 as Range<UInt64> {
                let found = try view.children(of: Sample.node(number))
                #expect(Set(found.map(\.node)) == children[Sample.node(number), default: []], comment)
                let names = found.compactMap(\.placement?.name)
                #expect(names == names.sorted(), comment)
                for record in found {
                    guard let placement = record.placement else { continue }
                    let child = try view.child(of: placement.parent, named: placement.name)
                    #expect(found.contains { $0.node == child && $0.placement == placement }, comment)
                }
            }
            for number in 0..<3 as Range<UInt64> {
                for level in 0...1 as ClosedRange<UInt8> {
                    let content = try #require(Sample.file(number, level: level).payload.content)
                    let expected = (0..<6).map { Sample.node($0) }.filter { node in
                        if case .present(let state) = model.view(node) {
                            state.payload.content == content
                        } else {
                            false
                        }
                    }
                    #expect(try Set(view.nodes(withContent: content.id)) == Set(expected), comment)
                }
            }
        }
    }

    @Test("intents come back in their order, and are replaced as a whole")
    func intents() throws {
        var dice = SeededGenerator(seed: 1)
        let records = (0..<20).map { number in
            LocalRecord(
                node: Sample.node(UInt64(number % 3)), condition: condition(&dice),
                fingerprint: Sample.fingerprint(UInt64(number)))
        }
        try database.write { try IntentQueries($0, link: link).replace(with: records) }
        #expect(try database.read { try IntentQueries($0, link: link).all() } == records)
        try database.write { try IntentQueries($0, link: link).replace(with: [records[3]]) }
        #expect(try database.read { try IntentQueries($0, link: link).all() } == [records[3]])
        #expect(try database.read { try IntentQueries($0, link: LinkID(rawValue: 99)).all() }.isEmpty)
    }

    @Test("the folders where something may have been left are remembered until all is cleared")
    func stagingPlaces() throws {
        let paths = ["a", "b/c", "a"].map { LocalPath(bytes: Array($0.utf8)) }
        try database.write { connection in
            for path in paths { try StagingQueries(connection, link: link).add(path) }
        }
        #expect(try Set(database.read { try StagingQueries($0, link: link).all() }) == Set(paths))
        try database.write { try StagingQueries($0, link: link).removeAll() }
        #expect(try database.read { try StagingQueries($0, link: link).all() }.isEmpty)
    }
}
