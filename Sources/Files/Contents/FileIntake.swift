import Blocks
import Metadata
import Model
import Storage

/// Takes the bytes of a file as they come, cuts them into blocks and makes these durable, window by window: the memory is a
/// window and what is left over of the one before, whatever the size of the file.
struct FileIntake {
    private let context: FilesContext
    private let account: AccountID
    private let name: NodeName
    private let chunker: Chunker
    private var builder = RecipeBuilder()
    private var buffer: [UInt8] = []
    /// Uploads that waited for nothing but blocks that came with this file.
    private(set) var settled: Set<UploadID> = []
    /// How many bytes have come.
    private(set) var received: UInt64 = 0

    init(_ context: FilesContext, account: AccountID, name: NodeName, chunker: Chunker) {
        self.context = context
        self.account = account
        self.name = name
        self.chunker = chunker
    }

    /// Whether a window is full, so that ``flush(atEnd:)`` is due.
    var isFull: Bool { buffer.count >= context.limits.window }

    /// Takes the next bytes.
    mutating func append(_ bytes: [UInt8]) {
        buffer.append(contentsOf: bytes)
        received += UInt64(bytes.count)
    }

    /// Stores what is left and names the whole.
    mutating func finish() async throws -> Content {
        try await flush(atEnd: true)
        var pages: [RecipePage] = []
        let content = builder.finish { pages.append($0) }
        try await store([], [], pages)
        return content
    }

    /// Stores the blocks that can be told from what has come.
    mutating func flush(atEnd: Bool) async throws {
        let (bytes, chunker) = (buffer, chunker)
        let pieces = try await context.workers.run { _ in Self.cut(bytes, chunker, atEnd) }
        let entries = pieces.map { RecipeEntry(block: $0.id, length: UInt32($0.range.count)) }
        var pages: [RecipePage] = []
        for entry in entries { builder.append(entry) { pages.append($0) } }
        try await store(pieces, bytes, pages)
        buffer.removeFirst(pieces.last?.range.upperBound ?? 0)
    }

    private struct Piece: Sendable {
        let id: BlockID
        let range: Range<Int>
    }

    private static func cut(_ bytes: [UInt8], _ chunker: Chunker, _ atEnd: Bool) -> [Piece] {
        bytes.withUnsafeBytes { bytes in
            var pieces: [Piece] = []
            var position = 0
            while position < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
                guard let length = chunker.boundary(in: rest, atEnd: atEnd) else { break }
                let id = BlockID(SHA256Hasher.digest(of: UnsafeRawBufferPointer(rebasing: rest[..<length])))
                pieces.append(Piece(id: id, range: position..<position + length))
                position += length
            }
            return pieces
        }
    }

    /// Compresses, seals and appends those of the blocks that the account lacks.
    private func seal(_ pieces: [Piece], _ bytes: [UInt8], lacking: Set<BlockID>) async throws -> [StoredBlock] {
        guard !lacking.isEmpty else { return [] }
        try await context.quotas.check(account)
        let (account, name) = (account, name)
        var wanted = lacking
        let fresh = pieces.filter { wanted.remove($0.id) != nil }
        let key = try await context.keys.key(of: account)
        let records = try await context.workers.map(fresh) { worker, piece in
            let block = bytes.withUnsafeBytes { bytes in
                let plain = UnsafeRawBufferPointer(rebasing: bytes[piece.range])
                let compression = CompressionPolicy.fast.choose(name: name, sample: plain)
                return worker.encoder.encode(plain, id: piece.id, as: compression)
            }
            return try worker.sealer(for: account, key: key).seal(block)
        }
        let locations = try await context.store.append(records)
        context.quotas.added(records.reduce(0) { $0 + $1.count }, to: account)
        context.metrics.stored(
            fresh.count, bytes: records.reduce(0) { $0 + $1.count }, known: pieces.count - fresh.count)
        return zip(fresh, locations).map { piece, location in
            StoredBlock(
                id: piece.id, plainLength: UInt32(piece.range.count), pack: location.pack, offset: location.offset,
                length: location.length)
        }
    }

    private mutating func store(_ pieces: [Piece], _ bytes: [UInt8], _ pages: [RecipePage]) async throws {
        guard !pieces.isEmpty || !pages.isEmpty else { return }
        let (account, ids) = (account, pieces.map(\.id))
        let (absent, isQuiet) = try await context.database.read { connection in
            let isQuiet = try !CollectionQueries(connection).hasCondemned(.block, account: account)
            return (try BlockQueries(connection).missing(ids, account: account), isQuiet)
        }
        let lacking = absent + (try await KeepBlocks(context).keep(Set(ids).subtracting(absent), account: account))
        if lacking.isEmpty, pages.isEmpty, isQuiet { return }
        let noted = try await NoteBlocks(context: context, account: account, ids: ids).run(lacking: Set(lacking)) {
            [self] lacking in
            try await seal(pieces, bytes, lacking: lacking)
        } note: { connection in
            try PageQueries(connection).store(pages.map { ($0.id, $0.encoded) }, account: account)
            return try UploadQueries(connection).settle(lacking.isEmpty ? [] : ids, account: account)
        }
        settled.formUnion(noted.answer)
    }
}
