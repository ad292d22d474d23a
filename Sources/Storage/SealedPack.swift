public import Model

/// A pack that is whole when it comes about: for media where a file is written once, such as the objects of S3.
public struct SealedPack: Sendable {
    /// The most payload bytes that a record may have.
    public static let maximumRecordLength = PackFormat.maximumRecordLength
    /// The largest pack that may be configured.
    public static let maximumSize = PackFormat.maximumPackSize

    /// The pack.
    public let pack: PackID
    /// All of it.
    public let bytes: [UInt8]
    /// Where the records lie, in order.
    public let locations: [PackLocation]

    /// Lays records one behind the other. O(bytes).
    public init(_ records: [[UInt8]], pack: PackID) {
        let plan = GroupPlan(records.map { FramedRecord($0) }, pack: pack, at: 0)
        self.pack = pack
        bytes = plan.bytes
        locations = plan.locations
    }

    /// How many bytes a record takes up with its header.
    public static func frameLength(of record: [UInt8]) -> Int { PackFormat.recordHeaderLength + record.count }

    /// The bytes before the first record.
    public static func header(of pack: PackID) -> [UInt8] { PackFormat.packHeader(pack) }
}

extension RecordFrame {
    /// Takes bytes for the record of a location; ``isIntact`` says whether they are.
    public init(_ location: PackLocation, bytes: ArraySlice<UInt8>) {
        self.init(location: location, bytes: bytes)
    }

    /// The record that takes the place of another one.
    /// - Parameters:
    ///   - former: What lies there now, whole or not.
    ///   - payload: As many bytes as the location says.
    public init(replacing former: RecordFrame, with payload: [UInt8]) {
        precondition(payload.count == Int(former.location.length), "a record of another length")
        let (location, offset) = (former.location, former.offset)
        let known = former.bytes.withUnsafeBytes { RecordHeader(decoding: $0, pack: location.pack, offset: offset) }
        let header = RecordHeader(
            kind: .record, length: location.length, durable: known?.durable ?? 0, checksum: Checksum.of(payload))
        self.init(location: location, bytes: (header.encoded(pack: location.pack, offset: offset) + payload)[...])
    }
}
