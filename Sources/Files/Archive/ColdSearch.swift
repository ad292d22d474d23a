import Metadata
import Model

/// Finds the blocks of an account that may go to the archive, a bounded number at a time, the oldest first.
///
/// What is found rests on the heads that ``heads`` names. Versions that began later are looked through by ``catchUp()``;
/// whoever moves a block has to see, in the transaction that moves it, that there are none that were not.
struct ColdSearch {
    private let context: FilesContext
    private let account: AccountID
    private let cutoffs: ArchivePolicy.Cutoffs
    private let capacity: Int
    /// The heads whose files were looked through.
    private(set) var heads: [NamespaceID: Revision] = [:]
    private var selection: ColdSelection
    private var sparing: ContentWalk
    private var sources: [Source]?

    /// One order of versions, and how far it was gone through.
    private struct Source {
        enum Kind { case past, current }

        let namespace: NamespaceID
        let kind: Kind
        var position = ChangePosition(revision: .zero, node: .root)
        var isDone = false
    }

    init(_ context: FilesContext, account: AccountID, cutoffs: ArchivePolicy.Cutoffs, capacity: Int) {
        self.context = context
        self.account = account
        self.cutoffs = cutoffs
        self.capacity = capacity
        selection = ColdSelection(capacity: capacity)
        sparing = ContentWalk(context, account: account)
    }

    private static let atOnce = 256
    private static let last = NodeID(high: .max, low: .max)

    /// The next blocks; nil when all cold versions were gone through.
    /// - Throws: ``FilesError`` `corruptData` when a page of a version that is not cold is gone: then it is not known what it
    ///   needs.
    mutating func next() async throws -> [BlockID]? {
        heads = try await presentHeads()
        var sources =
            self.sources
            ?? heads.keys.sorted().flatMap {
                [Source(namespace: $0, kind: .past), Source(namespace: $0, kind: .current)]
            }
        selection = ColdSelection(capacity: capacity)
        sparing = ContentWalk(context, account: account)
        var proposing = ContentWalk(context, account: account)
        for index in sources.indices {
            while !sources[index].isDone, !selection.isFull { try await propose(&sources[index], &proposing) }
        }
        self.sources = sources
        if selection.isEmpty { return nil }
        for namespace in heads.keys { try await spare(in: namespace) }
        return selection.blocks
    }

    /// Whether a block that was found may still go.
    func isCold(_ block: BlockID) -> Bool { selection.contains(block) }

    /// Looks through the versions that began since, and spares what they need.
    mutating func catchUp() async throws {
        let present = try await presentHeads()
        for (namespace, head) in present {
            let known = heads[namespace] ?? .zero
            var position = ChangePosition(revision: known, node: Self.last)
            while position.revision < head || position.node < Self.last {
                let (after, limit) = (position, Self.atOnce)
                let versions = try await context.database.read {
                    try ArchiveQueries($0).begunVersions(in: namespace, after: after, upTo: head, limit: limit)
                }
                for version in versions { try await spare(version.content) }
                guard versions.count == limit, let end = versions.last?.position else { break }
                position = end
            }
        }
        heads = present
    }

    private func presentHeads() async throws -> [NamespaceID: Revision] {
        let account = account
        return try await context.database.read { try Self.heads(of: account, $0) }
    }

    /// The heads of all trees whose files are made of an account's blocks.
    static func heads(
        of account: AccountID, _ connection: any MetadataConnection
    ) throws -> [NamespaceID: Revision] {
        Dictionary(
            uniqueKeysWithValues: try NamespaceQueries(connection).heads(of: account).map {
                ($0.namespace, $0.revision)
            })
    }

    // MARK: Cold versions

    private mutating func propose(_ source: inout Source, _ walk: inout ContentWalk) async throws {
        let (kind, namespace, position, limit) = (source.kind, source.namespace, source.position, Self.atOnce)
        guard let cutoff = try await cutoff(of: kind, in: namespace) else {
            source.isDone = true
            return
        }
        let versions = try await context.database.read { connection in
            let queries = ArchiveQueries(connection)
            return kind == .past
                ? try queries.endedVersions(in: namespace, after: position, upTo: cutoff, limit: limit)
                : try queries.currentFiles(in: namespace, after: position.node, limit: limit)
        }
        source.isDone = versions.count < limit
        for version in versions {
            source.position = version.position
            if kind == .past || version.position.revision <= cutoff { try await propose(version.content, &walk) }
            if selection.isFull {
                source.isDone = source.isDone && version == versions.last
                return
            }
        }
    }

    private func cutoff(of kind: Source.Kind, in namespace: NamespaceID) async throws -> Revision? {
        guard let moment = kind == .past ? cutoffs.ended : cutoffs.begun else { return nil }
        return try await context.database.read { try CommitQueries($0).revision(at: moment, in: namespace) }
    }

    private mutating func propose(_ content: Content, _ walk: inout ContentWalk) async throws {
        let (account, cutoffs, database) = (account, cutoffs, context.database)
        var selection = take()
        defer { self.selection = selection }
        do {
            try await walk.visit(content) { blocks in
                let movable = try await database.read {
                    try ArchiveQueries($0).movable(
                        blocks, account: account, unreadSince: cutoffs.unread, today: cutoffs.today)
                }
                selection.propose(blocks.filter { movable[$0] != nil })
            }
        } catch let error as FilesError where error.code == .corruptData {
            // A past version may be given up and collected meanwhile. What of it was proposed is spared if it is needed.
            return
        }
    }

    // MARK: Versions that are not cold

    private mutating func spare(in namespace: NamespaceID) async throws {
        let fresh = try await cutoff(of: .current, in: namespace)
        var node = NodeID.root
        while true {
            let (after, limit) = (node, Self.atOnce)
            let files = try await context.database.read {
                try ArchiveQueries($0).currentFiles(in: namespace, after: after, limit: limit)
            }
            for file in files {
                if let fresh, file.position.revision <= fresh, try await !isInUse(file.content) { continue }
                try await spare(file.content)
            }
            guard files.count == limit, let end = files.last?.position.node else { break }
            node = end
        }
        let cutoff = try await cutoff(of: .past, in: namespace) ?? .zero
        var position = ChangePosition(revision: cutoff, node: Self.last)
        while true {
            let (after, limit) = (position, Self.atOnce)
            let versions = try await context.database.read {
                try ArchiveQueries($0).endedVersions(
                    in: namespace, after: after, upTo: Revision(UInt64(Int64.max)), limit: limit)
            }
            for version in versions { try await spare(version.content) }
            guard versions.count == limit, let end = versions.last?.position else { return }
            position = end
        }
    }

    private mutating func spare(_ content: Content) async throws {
        var selection = take()
        defer { self.selection = selection }
        try await sparing.visit(content) { selection.spare($0) }
    }

    /// The selection, to be put back: while a walk goes on nobody else holds it, so that nothing is copied.
    private mutating func take() -> ColdSelection {
        var taken = ColdSelection(capacity: capacity)
        swap(&taken, &selection)
        return taken
    }

    /// Whether anything of a file was read lately, or is kept.
    private func isInUse(_ content: Content) async throws -> Bool {
        let (account, cutoffs, database) = (account, cutoffs, context.database)
        var walk = ContentWalk(context, account: account)
        var isInUse = false
        try await walk.visit(content) { blocks in
            if isInUse { return }
            isInUse = try await database.read {
                try ArchiveQueries($0).areInUse(
                    blocks, account: account, readSince: cutoffs.unreadFiles, today: cutoffs.today)
            }
        }
        return isInUse
    }
}
