import Metadata
import Model
import Synchronization

/// Adds up the blocks that the kept versions of an account need, each once: those that only a part of the files needs, and
/// those that the part shares with the rest.
///
/// The memory is bounded: when there are more blocks than may be held, they are taken in turns, each turn those whose hashes
/// fall into its share, and each turn goes through all recipes again.
struct BlockCensus: Sendable {
    let database: any MetadataDatabase
    let account: AccountID
    /// Which files are the part.
    let part: Part
    /// How many blocks may be held at once, at some 80 bytes each.
    var mostBlocks = 1_000_000

    /// Some files of an account.
    enum Part: Sendable {
        /// All.
        case everything
        /// What a path names.
        case path(AccountPath)
    }

    /// What the files of the part add up to.
    struct Result: Hashable, Sendable {
        var files = 0
        var versions = 0
        var headBytes: UInt64 = 0
        var keptBytes: UInt64 = 0
        /// The blocks that nothing else needs.
        var own = StoredTotals()
        /// The blocks that other files need too.
        var shared = StoredTotals()
    }

    private struct TooMany: Error {}

    /// - Throws: ``FilesError`` `corruptData` for a recipe that can't be read, and what the database throws.
    func run() async throws -> Result {
        var turns: UInt64 = 1
        while true {
            do { return try await run(in: turns) } catch is TooMany { turns *= 2 }
        }
    }

    private func run(in turns: UInt64) async throws -> Result {
        var result = Result()
        for turn in 0..<turns {
            let marks = BlockMarks(turn: turn, of: turns, most: mostBlocks)
            var tally = VersionTally()
            try await walk(isPart: true) { states, namespace in
                tally.add(states)
                try await visit(states, namespace) { try marks.note($0) }
            }
            if case .path = part {
                try await walk(isPart: false) { states, namespace in
                    try await visit(states, namespace) { marks.noteOther($0) }
                }
            }
            try await add(marks, to: &result)
            (result.files, result.versions) = (tally.files, tally.versions)
            (result.headBytes, result.keptBytes) = (tally.headBytes, tally.keptBytes)
        }
        return result
    }

    private static let statesAtOnce = 1000

    /// Hands out the states of the part, or of the rest, in the order of their nodes.
    private func walk(isPart: Bool, _ body: ([StateBytes], NamespaceID) async throws -> Void) async throws {
        for namespace in try await database.read({ try NamespaceQueries($0).all(visibleTo: account) }) {
            var place: (node: NodeID?, from: Revision) = (nil, .zero)
            while true {
                let start = place
                let (states, last) = try await database.read { connection -> ([StateBytes], StateBytes?) in
                    let states = try ThinningQueries(connection).bytes(
                        in: namespace, after: start.node, start.from, limit: Self.statesAtOnce)
                    return (try belonging(states, isPart, namespace, connection), states.last)
                }
                try await body(states, namespace)
                guard let last else { break }
                place = (last.node, last.from)
            }
        }
    }

    private func belonging(
        _ states: [StateBytes], _ isPart: Bool, _ namespace: NamespaceID, _ connection: any MetadataConnection
    ) throws -> [StateBytes] {
        guard case .path(let target) = part else { return states }
        if target.isFile {
            return states.filter { ($0.node == target.node && namespace == target.namespace) == isPart }
        }
        // Where a file is at last decides for all its versions: else its past would belong to the folder it came from.
        var places = PlaceLookup(connection, namespace)
        var known: [NodeID: Bool] = [:]
        return try states.filter { state in
            if let belongs = known[state.node] { return belongs == isPart }
            let parent =
                try ThinningQueries(connection).lastPlace(of: state.node, in: namespace)?.parent ?? state.parent
            let belongs = try namespace == target.namespace && target.contains(parent, &places)
            known[state.node] = belongs
            return belongs == isPart
        }
    }

    /// Goes through the recipes of the states whose bytes are kept, a few in one reading.
    private func visit(
        _ states: [StateBytes], _ namespace: NamespaceID, note: @escaping @Sendable (BlockID) throws -> Void
    ) async throws {
        let contents = states.filter(\.isKept).map(\.content).reduce(into: [Content]()) { found, content in
            if found.last != content { found.append(content) }
        }
        for start in stride(from: 0, to: contents.count, by: 100) {
            let some = Array(contents[start..<min(contents.count, start + 100)])
            try await database.read { connection in
                var blocks = ContentBlocks()
                for content in some { try blocks.visit(content, of: account, connection, body: note) }
            }
        }
    }

    /// Looks up how long the blocks of a turn are.
    private func add(_ marks: BlockMarks, to result: inout Result) async throws {
        let (own, shared) = marks.take()
        for (blocks, path) in [(own, \Result.own), (shared, \Result.shared)] {
            for start in stride(from: 0, to: blocks.count, by: 4096) {
                let some = Array(blocks[start..<min(blocks.count, start + 4096)])
                let found = try await database.read { try BlockQueries($0).locations(some, account: account) }
                for block in found.values { result[keyPath: path].add(block) }
            }
        }
    }

    /// The blocks of one turn, each with whether others need it too.
    private final class BlockMarks: Sendable {
        private let turn: UInt64
        private let turns: UInt64
        private let most: Int
        private let isShared = Mutex<[BlockID: Bool]>([:])

        init(turn: UInt64, of turns: UInt64, most: Int) {
            self.turn = turn
            self.turns = turns
            self.most = most
        }

        private func isOfTurn(_ block: BlockID) -> Bool { block.digest.words.3 % turns == turn }

        func note(_ block: BlockID) throws {
            guard isOfTurn(block) else { return }
            try isShared.withLock { marks in
                if marks[block] != nil { return }
                guard marks.count < most else { throw TooMany() }
                marks[block] = false
            }
        }

        func noteOther(_ block: BlockID) {
            guard isOfTurn(block) else { return }
            isShared.withLock { marks in
                if marks[block] == false { marks[block] = true }
            }
        }

        func take() -> (own: [BlockID], shared: [BlockID]) {
            isShared.withLock { marks in
                let shared = marks.filter(\.value).map(\.key)
                return (marks.filter { !$0.value }.map(\.key), shared)
            }
        }
    }
}

/// Counts files and versions as their states come by, in order, those whose bytes were given up among them.
///
/// A version is what ``FileVersion`` is: states that follow one another with the same bytes. So bytes that come again after
/// others make another one, although the others were given up.
struct VersionTally: Sendable {
    private(set) var files = 0
    private(set) var versions = 0
    private(set) var headBytes: UInt64 = 0
    private(set) var keptBytes: UInt64 = 0
    private var last: (node: NodeID, content: ContentID)?
    /// Whether the version of the last state is counted.
    private var isCounted = false

    mutating func add(_ states: [StateBytes]) {
        for state in states {
            if state.isHead {
                files += 1
                headBytes += state.content.size
            }
            if last?.node != state.node || last?.content != state.content.id { isCounted = false }
            last = (state.node, state.content.id)
            if isCounted || !state.isKept { continue }
            isCounted = true
            versions += 1
            keptBytes += state.content.size
        }
    }
}
