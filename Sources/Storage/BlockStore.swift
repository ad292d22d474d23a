public import Model

/// Keeps sealed blocks as records in packs.
///
/// A record is bytes; the store never looks inside. What `append` has acknowledged is durable: it survives the
/// death of the process and of the machine. Every method may be called from any number of tasks at once.
public protocol BlockStore: Sendable {
    /// Appends records and returns where they lie, in the order given, when all of them are durable.
    ///
    /// Records of concurrent appends share one sync. On an error none of the records is acknowledged, though some
    /// may lie in a pack as bytes that nothing names. A cancelled task still waits for the outcome, which is never far.
    /// - Throws: ``StorageError``: `full`, `unavailable` (a region is down, or too much is waiting), `io`, `readOnly`.
    func append(_ records: [[UInt8]]) async throws -> [PackLocation]

    /// The payload of one record, its checksum verified.
    /// - Throws: ``StorageError``: `notFound`, `corrupt` (naming pack and offset), `unavailable`, `io`.
    func read(_ location: PackLocation) async throws -> [UInt8]

    /// The payloads of many records, in the order asked; inside, each pack is read once from front to back.
    /// - Throws: as `read` of one does, for the first record that can't be had; then nothing is returned.
    func read(_ locations: [PackLocation]) async throws -> [[UInt8]]

    /// Rewrites one record in place, durably, from a good copy, which may be another sealing of the same block.
    /// - Parameters:
    ///   - location: Where the record lies.
    ///   - bytes: The payload; exactly as many bytes as the location says.
    /// - Throws: ``StorageError``: `corrupt` when the lengths differ, `notFound`, `unavailable`, `io`, `full`.
    func repair(_ location: PackLocation, with bytes: [UInt8]) async throws

    /// All packs, ordered by id. O(packs).
    func packs() async throws -> [PackSummary]

    /// Reads a whole pack and visits every record in order, in every region; what is damaged in one region and good
    /// in another is repaired on the way, what is damaged everywhere is visited as corrupt. Memory is bounded.
    /// - Throws: ``StorageError`` when the pack can't be read, and whatever `visit` throws.
    func scan(_ pack: PackID, _ visit: @Sendable (PackRecord) throws -> Void) async throws

    /// Removes a pack. Removing one that is not there succeeds.
    ///
    /// A crash in the middle may leave the pack in some regions; it is then there again after the restart.
    /// - Throws: ``StorageError``: `unavailable` while the pack is being repaired, or when no region could be told.
    func delete(_ pack: PackID) async throws

    /// Whether an append would find what it needs, tried by writing a few bytes in every region.
    /// - Throws: ``StorageError`` naming the region that failed.
    func check() async throws

    /// Ends the store: waits for the appends that were accepted, seals the open pack, lets the regions go.
    /// Afterwards every call throws `unavailable`. Closing twice is allowed.
    func close() async throws
}
