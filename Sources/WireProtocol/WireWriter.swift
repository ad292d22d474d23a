public import Model

/// Appends the fields of a message to bytes. docs/protocol.md describes each form.
public struct WireWriter {
    /// What has been written.
    public private(set) var bytes: [UInt8] = []

    /// Makes a writer with room for about `capacity` bytes.
    public init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    /// One byte.
    public mutating func byte(_ value: UInt8) { bytes.append(value) }

    /// An unsigned number, seven bits a byte, least significant first, the top bit set on all but the last.
    public mutating func number(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A count or a length, as a number.
    public mutating func count(_ value: Int) { number(UInt64(value)) }

    /// A signed number of 64 bits: eight bytes, most significant first.
    public mutating func signed(_ value: Int64) { bytes.append(contentsOf: [UInt8](bigEndian: value)) }

    /// Bytes as they are; the reader knows how many.
    public mutating func raw(_ value: some Collection<UInt8>) { bytes.append(contentsOf: value) }

    /// Bytes with their count before them.
    public mutating func sized(_ value: some Collection<UInt8>) {
        count(value.count)
        raw(value)
    }

    /// An identifier: 16 bytes.
    public mutating func identifier<Kind>(_ value: Identifier<Kind>) {
        bytes.append(contentsOf: [UInt8](bigEndian: value.high))
        bytes.append(contentsOf: [UInt8](bigEndian: value.low))
    }

    /// A digest: 32 bytes.
    public mutating func digest(_ value: Digest) { raw(value.bytes) }

    /// A list: the count, then each element.
    public mutating func list<Element>(
        _ elements: [Element], _ write: (inout WireWriter, Element) throws -> Void
    ) rethrows {
        count(elements.count)
        for element in elements { try write(&self, element) }
    }

    /// A record that may grow: its length in bytes, then its fields. Readers skip what they do not know.
    public mutating func record(_ write: (inout WireWriter) throws -> Void) rethrows {
        var inner = WireWriter()
        try write(&inner)
        sized(inner.bytes)
    }
}
