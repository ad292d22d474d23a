public import Model

/// A block store that keeps copies of its packs in several places and can bring them in order.
public protocol MaintainedBlockStore: BlockStore {
    /// What the store has done since it was opened.
    var statistics: StorageStatistics { get }

    /// Brings to each place what it lacks, as far as the places can be reached. To be called now and then; it costs nothing
    /// when nothing is lacking. Two processes that do it at once write the same bytes.
    /// - Returns: how many packs were brought in order.
    /// - Throws: ``StorageError`` when the store is closed, or what is left can't be noted.
    @discardableResult
    func repairMissing() async throws -> Int

    /// Reads a whole pack as ``BlockStore/scan(_:_:)`` does, at a pace that the caller sets.
    /// - Parameters:
    ///   - pack: The pack.
    ///   - pace: Is called with a number of bytes each time that so many were read, and may wait.
    ///   - visit: Takes each record in order.
    /// - Throws: as ``BlockStore/scan(_:_:)``, and what `pace` throws.
    func scan(
        _ pack: PackID, pace: @Sendable (Int) async throws -> Void,
        visit: @Sendable (PackRecord) throws -> Void
    ) async throws
}

extension PackedBlockStore: MaintainedBlockStore {}
