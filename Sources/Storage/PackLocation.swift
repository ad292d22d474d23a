public import Model

/// Where a record lies: the same in every region.
public struct PackLocation: Hashable, Sendable {
    /// The pack.
    public let pack: PackID
    /// Where the payload of the record begins, in bytes from the start of the pack.
    public let offset: UInt64
    /// How many bytes the payload has.
    public let length: UInt32

    /// Makes a location of its parts.
    public init(pack: PackID, offset: UInt64, length: UInt32) {
        self.pack = pack
        self.offset = offset
        self.length = length
    }
}

extension PackLocation: CustomStringConvertible {
    /// The pack, the offset and the length, for messages.
    public var description: String { "\(length) bytes at offset \(offset) of pack \(pack)" }
}

/// What is known of a pack without reading it.
public struct PackSummary: Hashable, Sendable {
    /// The pack.
    public let pack: PackID
    /// Its length in bytes, with the headers of the records.
    public let size: UInt64
    /// Whether nothing will be appended any more.
    public let isSealed: Bool

    /// Makes a summary of its parts.
    public init(pack: PackID, size: UInt64, isSealed: Bool) {
        self.pack = pack
        self.size = size
        self.isSealed = isSealed
    }
}

/// One record as a scan found it.
public struct PackRecord: Hashable, Sendable {
    /// What became of the record.
    public enum State: Hashable, Sendable {
        /// The payload, its checksum verified.
        case intact([UInt8])
        /// No region has these bytes as they were written. Where even the header is lost, the location covers
        /// everything up to the next record that can be told.
        case corrupt
    }

    /// Where it lies.
    public let location: PackLocation
    /// What was found.
    public let state: State

    /// Makes a record of its parts.
    public init(location: PackLocation, state: State) {
        self.location = location
        self.state = state
    }
}
