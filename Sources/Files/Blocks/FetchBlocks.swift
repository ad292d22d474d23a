public import Blocks
import Metadata
public import Model

/// Hands out blocks as they were sent: compressed, and to be verified by who gets them.
public struct FetchBlocks: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Finds the blocks. Nothing of their bytes is read yet.
    /// - Throws: ``FilesError``: `notFound` naming the first that the account does not have, `tooLarge` when the answer
    ///   would be above its bound, `thawing` when some lie in the archive: they are asked for, and those that do not are
    ///   told by ``FindMissingBlocks``.
    public func callAsFunction(_ ids: [BlockID], by principal: Principal) async throws -> FoundBlocks {
        let found = try await context.database.read { try BlockQueries($0).locations(ids, account: principal.account) }
        let blocks = try ids.map { id in
            guard let block = found[id] else { throw FilesError(.notFound, "there is no block \(id)") }
            return block
        }
        let answer = FoundBlocks(context: context, account: principal.account, blocks: blocks)
        guard answer.size <= context.limits.fetchedBytes else {
            throw FilesError(
                .tooLarge,
                "\(ids.count) blocks of \(answer.size) bytes; ask for at most \(context.limits.fetchedBytes) at once")
        }
        try await AskThaw(context)(
            blocks, account: principal.account, device: principal.device,
            for: ids.count == 1 ? "block \(ids[0])" : "a part of \(ids.count) blocks")
        context.archive?.reads.note(blocks, of: principal.account)
        return answer
    }
}

/// Blocks that are there, in the order asked for.
public struct FoundBlocks: Sendable {
    private let context: FilesContext
    private let account: AccountID
    private let blocks: [StoredBlock]
    /// The bytes of all of them as they are stored, which is a little more than as they are sent.
    public let size: Int

    /// How many there are.
    public var count: Int { blocks.count }

    init(context: FilesContext, account: AccountID, blocks: [StoredBlock]) {
        self.context = context
        self.account = account
        self.blocks = blocks
        size = blocks.reduce(0) { $0 + Int($1.length) }
    }

    /// Reads and opens the blocks, portion by portion: one portion is in memory at a time.
    /// - Throws: ``FilesError`` `corruptData` naming the block, and what `take` throws.
    public func forEachPortion(_ take: ([EncodedBlock]) throws -> Void) async throws {
        var rest = blocks[...]
        while !rest.isEmpty {
            var size = 0
            let portion = rest.prefix { block in
                defer { size += Int(block.length) }
                return size < context.limits.portion
            }
            rest = rest.dropFirst(portion.count)
            try take(try await OpenBlocks(context)(Array(portion), account: account, for: "a fetch of blocks"))
        }
    }

    /// All of the blocks at once.
    /// - Throws: as ``forEachPortion(_:)``.
    public func all() async throws -> [EncodedBlock] {
        var all: [EncodedBlock] = []
        all.reserveCapacity(count)
        try await forEachPortion { all += $0 }
        return all
    }
}
