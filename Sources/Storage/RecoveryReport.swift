public import Model

/// What opening a store found in the packs that the last process had left unsealed.
public struct RecoveryReport: Hashable, Sendable {
    /// The end of a pack that held no whole record and was cut.
    public struct TornTail: Hashable, Sendable {
        /// The region.
        public let region: String
        /// The pack.
        public let pack: PackID
        /// How many bytes of the pack were kept.
        public let kept: UInt64
        /// How many bytes were cut.
        public let cut: UInt64
    }

    /// Bytes that were acknowledged once and that no region has any more.
    public struct Damage: Hashable, Sendable {
        /// The pack.
        public let pack: PackID
        /// The damaged bytes, record headers included.
        public let range: Range<UInt64>
    }

    /// How many unsealed packs were examined.
    public internal(set) var examinedPacks = 0
    /// The tails that were cut.
    public internal(set) var tornTails: [TornTail] = []
    /// Unacknowledged bytes between whole records, covered so that no scan meets them again.
    public internal(set) var coveredBytes: UInt64 = 0
    /// What was lost.
    public internal(set) var damage: [Damage] = []
    /// The regions that could not be reached, with the reason.
    public internal(set) var missingRegions: [String: StorageError] = [:]
}
