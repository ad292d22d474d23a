import Blocks
import Model
import SyncPlanning
import WireProtocol

/// An account that keeps as much as it may: what is known of it for the rest of a pass.
struct FullAccount: Sendable {
    /// What the server said.
    let error: ClientError
    /// Contents of which the server lacks something.
    var lacking: Set<ContentID> = []

    /// The most blocks that the server is asked for at a time, in all its answers; contents of more are not asked for.
    private static let mostBlocks = 8 * WireLimits.maximumBlocks

    /// Divides groups of changes into those that need no room and those that do, each in its order.
    ///
    /// What brings no bytes, and what has the bytes of a file that is in sync, is known without the server. Of the rest the
    /// server is asked which blocks it has: those of a file that was there before, say.
    mutating func divide(
        _ groups: ArraySlice<[NodeChange]>, _ context: EngineContext, _ link: EngineLink
    ) async throws -> (light: [[NodeChange]], heavy: [[NodeChange]]) {
        let known = lacking
        let needs = try await context.onWorker {
            try context.database.read { connection in
                try Needs(of: groups, lacking: known, most: Self.mostBlocks, connection, link.id)
            }
        }
        var missing: Set<BlockID> = []
        for start in stride(from: 0, to: needs.blocks.count, by: WireLimits.maximumBlocks) {
            let some = needs.blocks[start..<min(needs.blocks.count, start + WireLimits.maximumBlocks)]
            missing.formUnion(try await context.server.missing(of: Array(some)))
        }
        lacking.formUnion(needs.unasked)
        for (content, blocks) in needs.asked where !missing.isDisjoint(with: blocks) { lacking.insert(content) }
        var (light, heavy): ([[NodeChange]], [[NodeChange]]) = ([], [])
        for (group, contents) in zip(groups, needs.contents) {
            if lacking.isDisjoint(with: contents) { light.append(group) } else { heavy.append(group) }
        }
        return (light, heavy)
    }
}

/// Which contents of groups of changes may be news to the server, and their blocks.
private struct Needs: Sendable {
    /// By group.
    var contents: [[ContentID]] = []
    /// The blocks that the server is to be asked for, each once.
    var blocks: [BlockID] = []
    /// The contents whose blocks these are.
    var asked: [ContentID: [BlockID]] = [:]
    /// Contents of too many blocks to ask for.
    var unasked: Set<ContentID> = []

    private struct TooMany: Error {}

    init(
        of groups: ArraySlice<[NodeChange]>, lacking: Set<ContentID>, most: Int, _ connection: StateConnection,
        _ link: LinkID
    ) throws {
        let synced = SyncedQueries(connection, link: link)
        var seen: Set<BlockID> = []
        for group in groups {
            var found: [ContentID] = []
            for change in group {
                guard let content = change.state?.payload.content,
                    try synced.mayLack(content, of: change.node)
                else { continue }
                found.append(content.id)
                if lacking.contains(content.id) || asked[content.id] != nil { continue }
                do {
                    let own = try Self.blocks(of: content, atMost: most - blocks.count, connection)
                    asked[content.id] = own
                    for block in own where seen.insert(block).inserted { blocks.append(block) }
                } catch is TooMany { unasked.insert(content.id) }
            }
            contents.append(found)
        }
    }

    private static func blocks(
        of content: Content, atMost most: Int, _ connection: StateConnection
    ) throws -> [BlockID] {
        if let block = content.id.block {
            guard most > 0 else { throw TooMany() }
            return [block]
        }
        var found: [BlockID] = []
        let isThere = try RecipeQueries(connection).forEachEntry(of: content.id) { entry, _ in
            guard found.count < most else { throw TooMany() }
            found.append(entry.block)
        }
        // Without its recipe nothing can be said; it is read again in time.
        if !isThere { throw TooMany() }
        return found
    }
}

extension SyncedQueries {
    /// Whether the server may lack bytes of a content that a node is to have. It has those of the node as it was, and of
    /// every file that is in sync.
    func mayLack(_ content: Content, of node: NodeID) throws -> Bool {
        guard content.size > 0 else { return false }
        if try record(of: node)?.state.payload.content == content { return false }
        return try nodes(withContent: content.id).isEmpty
    }
}
