public import Model

/// Keeps records where keeping is cheap and reading takes long: an archive class of object storage, a tape.
///
/// A record is bytes, as in a ``BlockStore``. It lies in a pack, and packs are **frozen**: to be read, a pack has to be
/// thawed, which takes from minutes to days, and after a while it is frozen again. The bytes do not move by that.
///
/// **Durable.** What `append` has acknowledged, and what `thaw` was asked for, survives the death of the process and of
/// the machine. **Repeatable.** Every call may be made again after a failure; asking for a thaw twice is asking once.
/// **Alone.** One process has an archive open at a time, and packs that it deletes are named by nobody: that is the caller's
/// to see to. Every method may be called from any number of tasks at once.
public protocol ArchiveStore: Sendable {
    /// Appends records, each pack filled before the next, and returns where they lie, in the order given, when all are
    /// durable. On an error none is acknowledged, though some may lie in a pack as bytes that nothing names.
    /// - Throws: ``StorageError``: `full`, `unavailable`, `io`, `readOnly`.
    func append(_ records: [[UInt8]]) async throws -> [PackLocation]

    /// Asks that packs be thawed. One that is thawed stays so for as long again, one that is thawing is not disturbed.
    /// - Returns: What became of each; a pack that is not there is left out.
    /// - Throws: ``StorageError`` when it could not be asked; then some may have been.
    @discardableResult
    func thaw(_ packs: Set<PackID>) async throws -> [PackID: ThawState]

    /// How things stand with packs. Asks for nothing. A pack that is not there is left out.
    /// - Throws: ``StorageError`` `unavailable`, `io`.
    func state(of packs: Set<PackID>) async throws -> [PackID: ThawState]

    /// The payloads of records in thawed packs, in the order asked, their checksums verified.
    /// - Throws: ``StorageError``: `frozen` when one of the packs is not thawed, `notFound`, `corrupt`, `unavailable`, `io`;
    ///   then nothing is returned.
    func read(_ locations: [PackLocation]) async throws -> [[UInt8]]

    /// All packs, ordered by id. O(packs).
    func packs() async throws -> [PackSummary]

    /// Removes a pack, frozen or not. Removing one that is not there succeeds.
    /// - Throws: ``StorageError`` `unavailable`, `io`; the pack may then be there or not.
    func delete(_ pack: PackID) async throws

    /// Whether an append would find what it needs, tried by writing a few bytes.
    /// - Throws: ``StorageError``.
    func check() async throws

    /// Ends the archive after the appends that were accepted. Later calls throw `unavailable`. Closing twice is allowed.
    func close() async throws
}

/// Whether the records of a pack can be read.
public enum ThawState: Hashable, Sendable {
    /// Not, and nobody has asked.
    case frozen
    /// Not yet: about from this moment on.
    case thawing(ready: Timestamp)
    /// Until this moment at least.
    case thawed(until: Timestamp)

    /// Whether the records can be read.
    public var isThawed: Bool { if case .thawed = self { true } else { false } }
}
