public import Model

/// A place in a pack can't be noted, because the pack is being removed: what was appended to it has to be appended again.
public struct PackRemoved: Error, Hashable, Sendable, CustomStringConvertible {
    /// The pack.
    public let pack: PackID

    /// Names the pack.
    public init(_ pack: PackID) {
        self.pack = pack
    }

    /// The pack, for messages.
    public var description: String { "pack \(pack) is being removed" }
}

/// A pack that nothing refers to.
public struct DoomedPack: Hashable, Sendable {
    /// The pack.
    public let pack: PackID
    /// Since when it waits, or since when it is being removed.
    public let since: Timestamp
    /// Whether it is being removed, or was: no row may refer to it ever again.
    public let isGoing: Bool
}

/// What of a pack is still referred to.
public struct PackUse: Hashable, Sendable {
    /// How many rows refer to it.
    public let records: Int
    /// The sealed bytes of their blocks, without headers.
    public let bytes: UInt64

    /// Makes a count of its parts.
    public init(records: Int, bytes: UInt64) {
        self.records = records
        self.bytes = bytes
    }
}

/// Packs: how much of each is used, which are to go, and moving blocks from one to another.
extension CollectionQueries {
    /// Has to be called in the transaction that notes places in packs: it keeps packs that still wait to be removed.
    /// - Throws: ``PackRemoved`` when one is being removed.
    func keep(_ packs: Set<PackID>) throws {
        for pack in packs.sorted() {
            guard let row = try connection.first("SELECT state FROM doomed_pack WHERE pack = $1", [.id(pack)]) else {
                continue
            }
            if try row.integer(0) != 0 { throw PackRemoved(pack) }
            try connection.execute("DELETE FROM doomed_pack WHERE pack = $1", [.id(pack)])
        }
    }

    /// How much of a pack is used. O(rows in the pack).
    public func use(of pack: PackID) throws -> PackUse {
        let row = try connection.first(
            "SELECT COUNT(*), CAST(COALESCE(SUM(length), 0) AS BIGINT) FROM block WHERE pack = $1", [.id(pack)])
        guard let row else { return PackUse(records: 0, bytes: 0) }
        return PackUse(records: try row.number(0), bytes: try row.number(1))
    }

    private func isUsed(_ pack: PackID) throws -> Bool {
        try connection.first("SELECT 1 FROM block WHERE pack = $1 LIMIT 1", [.id(pack)]) != nil
    }

    /// Moves blocks to other places: each whose row still says the old one.
    /// - Returns: how many were moved.
    /// - Throws: ``PackRemoved`` when a new place is in a pack that is being removed; then none is moved.
    public func move(_ blocks: [(account: AccountID, from: StoredBlock, to: StoredBlock)]) throws -> Int {
        try keep(Set(blocks.map(\.to.pack)))
        return try connection.executeMany(
            """
            UPDATE block SET pack = $1, place = $2 WHERE account = $3 AND id = $4 AND pack = $5 AND place = $6
            """,
            try blocks.map { account, from, to in
                [
                    .id(to.pack), try .unsigned(to.offset), .id(account), .name(from.id), .id(from.pack),
                    try .unsigned(from.offset),
                ]
            })
    }

    /// Dooms those of `packs` that no row refers to; for those that are doomed already the time stays.
    /// - Returns: how many were not doomed before.
    @discardableResult
    public func doom(_ packs: [PackID], at time: Timestamp) throws -> Int {
        try connection.executeMany(
            """
            INSERT INTO doomed_pack (pack, since, state) VALUES ($1, $2, 0) ON CONFLICT (pack) DO NOTHING
            """,
            try packs.filter { try !isUsed($0) }.map { [.id($0), .time(time)] })
    }

    /// All packs that wait to be removed, are being removed, or were not long ago.
    public func doomed() throws -> [DoomedPack] {
        try connection.query("SELECT pack, since, state FROM doomed_pack ORDER BY pack", []).map {
            DoomedPack(pack: try $0.id(0), since: try $0.time(1), isGoing: try $0.integer(2) != 0)
        }
    }

    /// Decides about a pack that has waited: when still nothing refers to it, nothing ever will; else it stays.
    /// - Returns: whether it is to be removed.
    public func decide(on pack: PackID, at time: Timestamp) throws -> Bool {
        if try isUsed(pack) {
            try connection.execute("DELETE FROM doomed_pack WHERE pack = $1 AND state = 0", [.id(pack)])
            return false
        }
        return try connection.execute(
            "UPDATE doomed_pack SET state = 1, since = $2 WHERE pack = $1", [.id(pack), .time(time)]) > 0
    }

    /// Forgets packs that were removed so long ago that nobody can still hold a place in them.
    public func forget(_ packs: [PackID]) throws {
        try connection.executeMany("DELETE FROM doomed_pack WHERE pack = $1 AND state = 1", packs.map { [.id($0)] })
    }
}
