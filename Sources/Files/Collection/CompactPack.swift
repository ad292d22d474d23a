import Metadata
import Model
import Storage

/// Copies what of a pack is in use to where appends go now, and lets the rows say so.
///
/// The sealed bytes are copied as they are, their checksums verified. A row is moved only if it still says the old place.
/// Nothing refers to a copy before it is durable, and the old record stays until its pack is removed: whoever looked up
/// the old place reads it there.
struct CompactPack: Sendable {
    let turn: CollectionTurn
    let pack: PackID

    /// What was done.
    struct Copied: Sendable {
        /// Sealed bytes that were copied.
        var bytes: UInt64 = 0
        /// Records that no region can give. They stay.
        var damaged: [PackLocation] = []
    }

    /// - Throws: ``StorageError`` when the store can't give or take anything now, ``CollectionSuperseded``, and what the
    ///   database throws. What was copied until then is moved.
    func run() async throws -> Copied {
        var result = Copied()
        var offset: UInt64 = 0
        while true {
            let (pack, limit, start) = (pack, turn.limits.rows, offset)
            let rows = try await turn.read { try BlockQueries($0).blocks(in: pack, from: start, limit: limit) }
            var rest = rows[...]
            while !rest.isEmpty {
                var size = 0
                let part = rest.prefix { row in
                    defer { size += Int(row.block.length) }
                    return size < turn.limits.copyBytes
                }
                rest = rest.dropFirst(part.count)
                try await copy(Array(part), &result)
            }
            guard rows.count == limit, let last = rows.last else { return result }
            offset = last.block.offset + 1
        }
    }

    private func copy(_ rows: [(account: AccountID, block: StoredBlock)], _ result: inout Copied) async throws {
        let (intact, records) = try await read(rows, &result)
        guard !intact.isEmpty else { return }
        try await NoteBlocks.repeating {
            let places = try await turn.context.store.append(records)
            let moves = zip(intact, places).map { row, place in
                (
                    account: row.account, from: row.block,
                    to: StoredBlock(
                        id: row.block.id, plainLength: row.block.plainLength, pack: place.pack, offset: place.offset,
                        length: place.length)
                )
            }
            _ = try await turn.write { try CollectionQueries($0).move(moves) }
        }
        let bytes = records.reduce(0) { $0 + $1.count }
        result.bytes += UInt64(bytes)
        try await turn.pace.copied(bytes)
    }

    /// Reads records; those that are damaged everywhere are left out.
    private func read(
        _ rows: [(account: AccountID, block: StoredBlock)], _ result: inout Copied
    ) async throws -> ([(account: AccountID, block: StoredBlock)], [[UInt8]]) {
        do {
            return (rows, try await turn.context.store.read(rows.map(\.block.location)))
        } catch let error as StorageError where error.code == .corrupt || error.code == .notFound {
            var intact: [(account: AccountID, block: StoredBlock)] = []
            var records: [[UInt8]] = []
            for row in rows {
                do {
                    records.append(try await turn.context.store.read(row.block.location))
                    intact.append(row)
                } catch let error as StorageError where error.code == .corrupt || error.code == .notFound {
                    result.damaged.append(row.block.location)
                }
            }
            return (intact, records)
        }
    }
}
