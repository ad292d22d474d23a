import Model

/// The framing of a pack, as `docs/format-packs.md` specifies it: a header, then records without gaps.
enum PackFormat {
    /// The length of the header of a pack.
    static let packHeaderLength = 32
    /// The length of the header of a record.
    static let recordHeaderLength = 24
    /// The most payload bytes that a record may have.
    static let maximumRecordLength = 16 << 20
    /// The largest pack that may be configured: offsets in headers have 32 bits.
    static let maximumPackSize = 2 << 30
    /// The version in the header of a pack.
    static let version: UInt16 = 1

    /// The header of a pack: `CAIRNPCK`, the version, two zero bytes, a checksum of all the rest, the id.
    static func packHeader(_ pack: PackID) -> [UInt8] {
        var bytes = Array("CAIRNPCK".utf8)
        bytes.append(littleEndian: version)
        bytes.append(littleEndian: UInt16(0))
        let checksum = Checksum.of(bytes + pack.bytes)
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: checksum))
        return bytes + pack.bytes
    }

    /// The bytes of a record with its header that the payload of a location lies in; nil when there can't be one.
    static func frame(of location: PackLocation) -> Range<UInt64>? {
        let first = UInt64(packHeaderLength + recordHeaderLength)
        guard location.offset >= first, location.length <= UInt32(maximumRecordLength),
            location.offset <= UInt64(UInt32.max)
        else { return nil }
        return location.offset - UInt64(recordHeaderLength)..<location.offset + UInt64(location.length)
    }
}

extension [UInt8] {
    /// Appends the bytes of a number, least significant first.
    mutating func append(littleEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// Reads a number of a type at an offset, least significant byte first.
    func littleEndian<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type) -> Number {
        Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}
