public import Model

/// One place that holds packs: a directory, a bucket.
///
/// A region knows packs as bytes and nothing of records: what is written where is planned once, above the regions, so
/// that all of them hold the same. Whatever changes something is durable when it returns; when it throws, the
/// change may have happened in full, in part, or not at all. Errors are ``StorageError``. Calls do not heed the
/// cancellation of their task: one task writes for many.
public protocol PackRegion: Sendable {
    /// The region's name in messages and in the list of repairs: stable over restarts, unique in a store.
    var name: String { get }

    /// Makes the region ready; called again after a failure, and harmless when it is ready already.
    /// - Throws: `unavailable` when it can't be reached, `inUse` when another process has it.
    func open() async throws

    /// All packs here, in any order. O(packs).
    func list() async throws -> [PackSummary]

    /// What is known of one pack; nil when it is not here.
    func find(_ pack: PackID) async throws -> PackSummary?

    /// Makes an empty, unsealed pack.
    func create(_ pack: PackID) async throws

    /// Writes bytes into an existing pack, sealed or not; beyond the end it grows.
    /// - Throws: `notFound`, `full` when there is no room, `io` when the medium failed: the unsynced bytes of the
    ///   pack are then in an unknown state and the pack must not be appended to any more.
    func write(_ bytes: [UInt8], to pack: PackID, at offset: UInt64) async throws

    /// Reads ranges of one pack, each answered with as many of its bytes as there are before the pack ends.
    /// Ranges come in ascending order; neighbours are read in one go.
    func read(_ pack: PackID, _ ranges: [Range<UInt64>]) async throws -> [[UInt8]]

    /// Cuts a pack to a size; never lengthens it.
    func truncate(_ pack: PackID, to size: UInt64) async throws

    /// Cuts a pack to a size and marks it as complete. Sealing twice is allowed.
    func seal(_ pack: PackID, at size: UInt64) async throws

    /// Removes a pack. Removing one that is not there succeeds.
    func delete(_ pack: PackID) async throws

    /// The bytes kept under a name beside the packs; nil when there are none.
    func loadNote(_ name: String) async throws -> [UInt8]?

    /// Keeps a few bytes under a name, in place of the former ones, in one step.
    func storeNote(_ bytes: [UInt8], _ name: String) async throws

    /// Tries to write a few bytes.
    func check() async throws

    /// Lets the region go; nothing is called afterwards.
    func close() async throws
}
