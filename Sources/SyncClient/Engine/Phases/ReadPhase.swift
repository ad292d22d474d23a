import Blocks
import Model

/// Reads files that the scanner found new or changed: hashes them and keeps their recipes.
///
/// Files are read in portions, in the order in which they were seen, so that the first are on their way while the
/// next are read. What can't be read now stays unread, is named as a problem, and is tried again by the next pass.
struct ReadPhase {
    let context: EngineContext
    let link: EngineLink
    let folder: LinkedFolder
    private let chunker = Chunker()

    init(context: EngineContext, link: EngineLink, folder: LinkedFolder) {
        self.context = context
        self.link = link
        self.folder = folder
    }

    /// What a portion brought.
    struct Portion: Sendable {
        /// Where the next begins; nil when no unread file is left.
        var next: Int64?
        /// How many files were read.
        var read = 0
        var problems: [Problem] = []
        /// Folders whose entries are not what the scan saw: to be scanned again.
        var dirty: Set<LocalPath> = []
    }

    /// A file to read.
    private struct Item: Sendable {
        let node: NodeID
        let path: LocalPath
        let seen: Fingerprint
    }

    /// What became of it.
    private enum Outcome: Sendable {
        case read(Item, Content, Fingerprint, isRacy: Bool)
        case failed(Item, ClientError)
    }

    private static let filesInPortion = 2048
    private static let bytesInPortion: UInt64 = 256 << 20
    /// Two threads: one computes while the other waits for the disk.
    private static let readers = 2

    /// Reads the next portion.
    /// - Parameter sequence: Where the portion before it ended.
    /// - Returns: What it brought.
    /// - Throws: ``ClientError`` when the client's own state is at fault.
    func run(after sequence: Int64) async throws -> Portion {
        let (items, next) = try await context.onWorker { try select(after: sequence) }
        var portion = Portion(next: next)
        if items.isEmpty { return portion }
        let outcomes = try await withThrowingTaskGroup(of: [Outcome].self) { group in
            for part in Self.shares(items) {
                group.addTask { try await context.onWorker { try read(part) } }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        try await note(outcomes, &portion)
        try context.step(.read)
        return portion
    }

    /// Takes unread files until the portion is full.
    private func select(after sequence: Int64) throws -> ([Item], Int64?) {
        try context.database.read { connection in
            let view = LocalView(connection, link: link.id)
            let rows = try LocalQueries(connection, link: link.id).unread(after: sequence, limit: Self.filesInPortion)
            var items: [Item] = []
            var bytes: UInt64 = 0
            for (number, record) in rows {
                if let path = try view.path(of: record.node, root: .root) {
                    items.append(Item(node: record.node, path: path, seen: record.fingerprint))
                    bytes += record.fingerprint.size
                }
                if bytes >= Self.bytesInPortion { return (items, number) }
            }
            return (items, rows.count == Self.filesInPortion ? rows.last?.sequence : nil)
        }
    }

    /// Divides the files among the readers by their bytes, each a run of neighbours.
    private static func shares(_ items: [Item]) -> [[Item]] {
        let total = items.reduce(0) { $0 + $1.seen.size + 4096 }
        var shares: [[Item]] = [[]]
        var bytes: UInt64 = 0
        for item in items {
            if bytes >= total / UInt64(readers), shares.count < readers, !shares[shares.count - 1].isEmpty {
                shares.append([])
                bytes = 0
            }
            shares[shares.count - 1].append(item)
            bytes += item.seen.size + 4096
        }
        return shares
    }

    private func read(_ items: [Item]) throws -> [Outcome] {
        let reader = ContentReader(
            folder: folder, database: context.database, clock: context.clock, chunker: chunker)
        var generator = context.random
        return try items.map { item in
            do {
                let reading = try reader.read(item.path, expecting: item.seen, using: &generator)
                context.progress.advance(files: 1, bytes: reading.content.size)
                return .read(item, reading.content, reading.fingerprint, isRacy: reading.isRacy)
            } catch let error as ClientError where !error.code.concernsState {
                return .failed(item, error)
            }
        }
    }

    private func note(_ outcomes: [Outcome], _ portion: inout Portion) async throws {
        for case .failed(let item, let error) in outcomes {
            if error.code == .changedMeanwhile || error.code == .notFound || error.code == .unstable {
                portion.dirty.insert(item.path.parent ?? .root)
            }
            portion.problems.append(Problem(path: item.path, error))
        }
        portion.read = outcomes.count - portion.problems.count
        try await context.onWorker {
            try context.database.write { connection in
                let queries = LocalQueries(connection, link: link.id)
                for case .read(let item, let content, let fingerprint, let isRacy) in outcomes {
                    try queries.noteRead(
                        item.node, seen: item.seen, content: content, fingerprint: fingerprint, racy: isRacy)
                }
            }
        }
    }
}

extension ClientError.Code {
    /// Whether what is at fault is the client's own state, rather than a file.
    var concernsState: Bool { self == .stateCorrupt || self == .stateTooNew || self == .diskFull }
}
