import Model

/// The 24 bytes before the payload of a record.
///
/// Its own checksum covers the pack and the offset too, so that bytes that came from elsewhere, or were left over
/// there, are never taken for a record.
struct RecordHeader: Hashable, Sendable {
    /// What the payload is.
    enum Kind: UInt32, Sendable {
        /// A record: `CBK1`.
        case record = 0x314B_4243
        /// Covers bytes that were never acknowledged; its payload means nothing: `CFL1`.
        case filler = 0x314C_4643
    }

    let kind: Kind
    /// The length of the payload.
    let length: UInt32
    /// Everything in the pack before this offset was durable when the record was written: the start of its group.
    let durable: UInt32
    /// XXH3-64 of the payload; 0 for a filler.
    let checksum: UInt64

    /// The header with its payload, in bytes.
    var frameLength: UInt64 { UInt64(PackFormat.recordHeaderLength) + UInt64(length) }

    /// The bytes of the header for a place.
    func encoded(pack: PackID, offset: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(PackFormat.recordHeaderLength)
        bytes.append(littleEndian: kind.rawValue)
        bytes.append(littleEndian: length)
        bytes.append(littleEndian: durable)
        bytes.append(littleEndian: ownChecksum(pack: pack, offset: offset))
        bytes.append(littleEndian: checksum)
        return bytes
    }

    init(kind: Kind, length: UInt32, durable: UInt32, checksum: UInt64) {
        self.kind = kind
        self.length = length
        self.durable = durable
        self.checksum = checksum
    }

    /// Reads a header; nil when the bytes are none that was written for this place.
    init?(decoding bytes: UnsafeRawBufferPointer, pack: PackID, offset: UInt64) {
        guard bytes.count >= PackFormat.recordHeaderLength,
            let kind = Kind(rawValue: bytes.littleEndian(at: 0, as: UInt32.self))
        else { return nil }
        self.init(
            kind: kind, length: bytes.littleEndian(at: 4, as: UInt32.self),
            durable: bytes.littleEndian(at: 8, as: UInt32.self),
            checksum: bytes.littleEndian(at: 16, as: UInt64.self))
        guard bytes.littleEndian(at: 12, as: UInt32.self) == ownChecksum(pack: pack, offset: offset),
            // Only a filler may be longer than a record: it covers as much as was torn.
            kind == .filler || length <= UInt32(PackFormat.maximumRecordLength)
        else { return nil }
    }

    /// Whether a payload is the one that the header speaks of.
    func matches(_ payload: UnsafeRawBufferPointer) -> Bool {
        payload.count == Int(length) && (kind == .filler || Checksum.of(payload) == checksum)
    }

    /// The low half of XXH3-64 over pack, offset and the other fields.
    private func ownChecksum(pack: PackID, offset: UInt64) -> UInt32 {
        let fields = (
            pack.high.littleEndian, pack.low.littleEndian, offset.littleEndian,
            (UInt64(kind.rawValue) | UInt64(length) << 32).littleEndian, UInt64(durable).littleEndian,
            checksum.littleEndian
        )
        return UInt32(truncatingIfNeeded: withUnsafeBytes(of: fields) { Checksum.of($0) })
    }
}
