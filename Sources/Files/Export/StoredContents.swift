public import Blocks
public import Metadata
public import Model
public import Storage

/// Reads the bytes of contents straight from the regions, without a store: it changes nothing, repairs nothing, and works on
/// a stopped server's directory, on a backup, and beside a server that runs.
public struct StoredContents: Sendable {
    private let database: any MetadataDatabase
    private let regions: [any PackRegion]
    private let workers: WorkerPool
    private let account: AccountID
    private let key: AccountKey

    /// How many bytes of plaintext are held at once.
    private static let window: UInt64 = 4 << 20

    /// Reads what an account has.
    public init(
        database: any MetadataDatabase, regions: [any PackRegion], workers: WorkerPool, account: AccountID,
        key: AccountKey
    ) {
        self.database = database
        self.regions = regions
        self.workers = workers
        self.account = account
        self.key = key
    }

    /// Calls `take` with the bytes of a content, in order, in pieces of at most a few megabytes. Every block is
    /// verified before it is handed on, and taken from the first region that has it whole.
    /// - Throws: ``FilesError`` `corruptData` naming what is missing, and what `take` throws.
    public func read(_ content: Content, _ take: (ArraySlice<[UInt8]>) async throws -> Void) async throws {
        var position: UInt64 = 0
        while position < content.size {
            let blocks = try await plan(content, from: position)
            guard !blocks.isEmpty else {
                throw FilesError(.corruptData, "its recipe ends after \(position) of \(content.size) bytes")
            }
            let pieces = try await plaintexts(blocks)
            position += blocks.reduce(0) { $0 + UInt64($1.plainLength) }
            try await take(pieces[...])
        }
    }

    /// Whether every block of a content has a row whose pack some region has: what can be said without reading it.
    /// - Throws: ``FilesError`` `corruptData` naming what is missing.
    public func look(at content: Content) async throws {
        var position: UInt64 = 0
        while position < content.size {
            let blocks = try await plan(content, from: position)
            guard !blocks.isEmpty else {
                throw FilesError(.corruptData, "its recipe ends after \(position) of \(content.size) bytes")
            }
            for pack in Set(blocks.map(\.pack)) where try await !isThere(pack) {
                throw FilesError(.corruptData, "pack \(pack) is in no region")
            }
            position += blocks.reduce(0) { $0 + UInt64($1.plainLength) }
        }
    }

    private func isThere(_ pack: PackID) async throws -> Bool {
        for region in regions where try await region.find(pack) != nil { return true }
        return false
    }

    /// Finds the blocks of one window and where they lie.
    private func plan(_ content: Content, from start: UInt64) async throws -> [StoredBlock] {
        let account = account
        do {
            return try await database.read { connection in
                var entries: [RecipeEntry] = []
                try RecipeWalker().entries(of: content, from: start) { page in
                    guard let bytes = try PageQueries(connection).load(page, account: account) else {
                        throw FilesError(.corruptData, "page \(page) of its recipe is gone")
                    }
                    return bytes
                } body: { entry, offset in
                    entries.append(entry)
                    return offset + UInt64(entry.length) - start < Self.window
                }
                let places = try BlockQueries(connection).locations(entries.map(\.block), account: account)
                return try entries.map { entry in
                    guard let place = places[entry.block], place.plainLength == entry.length else {
                        throw FilesError(.corruptData, "block \(entry.block) is not where it should be")
                    }
                    return place
                }
            }
        } catch let error as BlocksError {
            throw FilesError(.corruptData, "its recipe is damaged: \(error.message)")
        }
    }

    private func plaintexts(_ blocks: [StoredBlock]) async throws -> [[UInt8]] {
        var plain = [[UInt8]?](repeating: nil, count: blocks.count)
        var causes: [String] = []
        for region in regions {
            let open = plain.indices.filter { plain[$0] == nil }
            if open.isEmpty { break }
            let frames = await frames(open.map { blocks[$0] }, in: region)
            let tasks = open.map {
                (index: $0, block: OwnedBlock(account: account, block: blocks[$0]), frame: frames[blocks[$0].id])
            }
            let key = key
            let opened = try await workers.map(tasks) { worker, task -> Result<[UInt8], FilesError> in
                guard let frame = task.frame else {
                    return .failure(FilesError(.corruptData, "\(task.block.block.location) are not there"))
                }
                do {
                    return .success(try BlockVerification.plaintext(frame, of: task.block, key: key, worker))
                } catch {
                    return .failure(FilesError(.corruptData, "\(error)"))
                }
            }
            for (task, result) in zip(tasks, opened) {
                switch result {
                case .success(let bytes): plain[task.index] = bytes
                case .failure(let error): causes.append("region \(region.name): \(error.message)")
                }
            }
        }
        return try plain.enumerated().map { index, bytes in
            guard let bytes else {
                throw FilesError(
                    .corruptData, "no region can give block \(blocks[index].id)", cause: causes.joined(separator: "; "))
            }
            return bytes
        }
    }

    /// What lies at the places of blocks in one region, each pack read from front to back.
    private func frames(_ blocks: [StoredBlock], in region: any PackRegion) async -> [BlockID: RecordFrame] {
        var frames: [BlockID: RecordFrame] = [:]
        for (pack, members) in Dictionary(grouping: blocks, by: \.pack) {
            guard let summary = try? await region.find(pack) else { continue }
            var reader = PackReader(region: region, pack: summary)
            for block in members.sorted(by: { $0.offset < $1.offset }) {
                frames[block.id] = await reader.frame(at: block.location)
            }
        }
        return frames
    }
}
