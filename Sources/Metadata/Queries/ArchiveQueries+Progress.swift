public import Model

extension ArchiveQueries {
    /// Up to which revision the files of a namespace were looked through for blocks that lie in the archive; nil when they
    /// never were.
    public func warmed(_ namespace: NamespaceID) throws -> Revision? {
        try noted(Self.name(namespace)).flatMap { bytes in
            bytes.count == 8 ? Revision(bytes.reduce(0) { $0 << 8 | UInt64($1) }) : nil
        }
    }

    /// Notes up to which revision the files of a namespace were looked through.
    public func noteWarmed(_ namespace: NamespaceID, _ revision: Revision, at moment: Timestamp) throws {
        try note(Self.name(namespace), [UInt8](bigEndian: revision.number), at: moment)
    }

    /// When all accounts were last looked through for what can go to the archive; nil when they never were.
    public func lastRound() throws -> Timestamp? {
        try WorkProgressQueries(connection).updated(of: Self.round)
    }

    /// Notes that all accounts were looked through.
    public func noteRound(at moment: Timestamp) throws { try note(Self.round, [], at: moment) }

    /// The packs of the archive in which no block lay when the last round looked, and since when none does.
    public func unnamedPacks() throws -> [PackID: Timestamp] {
        let bytes = try noted(Self.unnamed) ?? []
        var packs: [PackID: Timestamp] = [:]
        for start in stride(from: 0, to: bytes.count, by: 24) {
            let entry = bytes[start..<min(start + 24, bytes.count)]
            guard entry.count == 24, let pack = PackID(bytes: entry.prefix(16)) else {
                throw MetadataError(.corrupt, "the list of packs that nothing names is damaged")
            }
            let since = entry.dropFirst(16).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            packs[pack] = Timestamp(nanoseconds: Int64(bitPattern: since))
        }
        return packs
    }

    /// Notes the packs of the archive in which no block lies, and since when, in the place of what was noted before.
    public func noteUnnamedPacks(_ packs: [PackID: Timestamp], at moment: Timestamp) throws {
        let entries = packs.sorted { $0.key < $1.key }.flatMap { pack, since in
            pack.bytes + [UInt8](bigEndian: UInt64(bitPattern: since.nanoseconds))
        }
        try WorkProgressQueries(connection).set(entries.isEmpty ? nil : entries, of: Self.unnamed, at: moment)
    }

    /// The region that the archive is; nil when there never was one.
    public func region() throws -> RegionID? { try noted(Self.region).flatMap { RegionID(bytes: $0) } }

    /// The directory where the archive was seen last; nil when there never was one.
    public func directory() throws -> String? { try noted(Self.place).map { String(decoding: $0, as: UTF8.self) } }

    /// Remembers the region that the archive is, and where it was seen.
    public func remember(region: RegionID, directory: String, at moment: Timestamp) throws {
        try note(Self.region, region.bytes, at: moment)
        try note(Self.place, Array(directory.utf8), at: moment)
    }

    /// Lets every block lie hot, and forgets that there was an archive: for a copy of the database whose packs are all in one
    /// place. O(blocks in the archive).
    public func forgetArchive() throws {
        try connection.execute("UPDATE block SET tier = 0, kept_day = NULL WHERE tier = 1", [])
        try connection.execute("DELETE FROM thaw", [])
        try connection.execute("DELETE FROM maintenance WHERE name LIKE 'archive %'", [])
    }

    private static let round = "archive round"
    private static let unnamed = "archive unnamed packs"
    private static let region = "archive region"
    private static let place = "archive directory"

    private static func name(_ namespace: NamespaceID) -> String { "archive warm \(namespace.hex)" }

    private func noted(_ name: String) throws -> [UInt8]? { try WorkProgressQueries(connection).value(of: name) }

    private func note(_ name: String, _ value: [UInt8], at moment: Timestamp) throws {
        try WorkProgressQueries(connection).set(value, of: name, at: moment)
    }
}
