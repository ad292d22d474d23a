public import Model

/// Where a block of an account lies in cloud storage.
public struct StoredBlock: Hashable, Sendable {
    /// The block.
    public let id: BlockID
    /// How many bytes of plaintext it has.
    public let plainLength: UInt32
    /// The pack that holds it.
    public let pack: PackID
    /// Where in the pack its sealed bytes begin.
    public let offset: UInt64
    /// How many sealed bytes there are.
    public let length: UInt32
    /// Which storage the pack is in.
    public let tier: BlockTier

    /// Makes a record of its parts.
    public init(
        id: BlockID, plainLength: UInt32, pack: PackID, offset: UInt64, length: UInt32, tier: BlockTier = .hot
    ) {
        self.id = id
        self.plainLength = plainLength
        self.pack = pack
        self.offset = offset
        self.length = length
        self.tier = tier
    }
}
