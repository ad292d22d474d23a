import Model

/// The bytes of a group as they go into every region, and where its records will lie.
struct GroupPlan: Sendable {
    let pack: PackID
    /// Where the bytes begin in the pack.
    let offset: UInt64
    let bytes: [UInt8]
    let locations: [PackLocation]

    /// Plans records at the end of a pack; at offset 0 the header of the pack goes before them.
    /// - Parameters:
    ///   - records: The records in order.
    ///   - pack: The pack.
    ///   - offset: Its acknowledged size.
    ///   - spare: An array whose memory is used again: fresh memory for each group costs more than the copying.
    init(_ records: [FramedRecord], pack: PackID, at offset: UInt64, reusing spare: consuming [UInt8] = []) {
        var bytes = spare
        bytes.removeAll(keepingCapacity: true)
        bytes.reserveCapacity(records.reduce(PackFormat.packHeaderLength) { $0 + $1.frameLength })
        if offset == 0 { bytes += PackFormat.packHeader(pack) }
        var locations: [PackLocation] = []
        locations.reserveCapacity(records.count)
        for record in records {
            let length = UInt32(record.payload.count)
            let header = RecordHeader(
                kind: .record, length: length, durable: UInt32(offset), checksum: record.checksum)
            bytes += header.encoded(pack: pack, offset: offset + UInt64(bytes.count))
            locations.append(PackLocation(pack: pack, offset: offset + UInt64(bytes.count), length: length))
            bytes += record.payload
        }
        self.bytes = bytes
        self.pack = pack
        self.offset = offset
        self.locations = locations
    }
}
