public import Model

/// Takes the fields of a message from bytes, never past their end and never more than their bounds allow.
public struct WireReader {
    private let bytes: [UInt8]
    private var position: Int
    private var end: Int

    /// Reads a whole message.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    /// How many bytes are left.
    public var remaining: Int { end - position }

    /// One byte.
    public mutating func byte(_ field: StaticString) throws(WireError) -> UInt8 {
        try need(1, field)
        defer { position += 1 }
        return bytes[position]
    }

    /// An unsigned number of up to 64 bits; the shortest form only.
    public mutating func number(_ field: StaticString) throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let byte = try byte(field)
            let bits = UInt64(byte & 0x7F)
            if shift == 63, bits > 1 { throw WireError(.malformed, "\(field): a number above 64 bits") }
            value |= bits << shift
            if byte & 0x80 == 0 {
                if byte == 0, shift > 0 { throw WireError(.malformed, "\(field): a number in a longer form") }
                return value
            }
        }
        throw WireError(.malformed, "\(field): a number above 64 bits")
    }

    /// A count or a length of at most `bound`.
    public mutating func count(_ field: StaticString, atMost bound: Int) throws(WireError) -> Int {
        let value = try number(field)
        guard value <= UInt64(bound) else { throw WireError(.tooLarge, "\(field): \(value), at most \(bound)") }
        return Int(value)
    }

    /// A signed number of 64 bits.
    public mutating func signed(_ field: StaticString) throws(WireError) -> Int64 {
        Int64(bitPattern: try raw(8, field).reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// As many bytes as asked for.
    public mutating func raw(_ count: Int, _ field: StaticString) throws(WireError) -> ArraySlice<UInt8> {
        try need(count, field)
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// Bytes with their count before them.
    public mutating func sized(_ field: StaticString, atMost bound: Int) throws(WireError) -> [UInt8] {
        let length = try count(field, atMost: bound)
        return Array(try raw(length, field))
    }

    /// An identifier.
    public mutating func identifier<Kind>(_ field: StaticString) throws(WireError) -> Identifier<Kind> {
        let raw = try raw(16, field)
        guard let identifier = Identifier<Kind>(bytes: raw) else { throw WireError(.malformed, "\(field)") }
        return identifier
    }

    /// A digest.
    public mutating func digest(_ field: StaticString) throws(WireError) -> Digest {
        let raw = try raw(32, field)
        guard let digest = Digest(bytes: raw) else { throw WireError(.malformed, "\(field)") }
        return digest
    }

    /// A list of at most `bound` elements.
    public mutating func list<Element>(
        _ field: StaticString, atMost bound: Int, _ read: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        let count = try count(field, atMost: bound)
        var elements: [Element] = []
        elements.reserveCapacity(min(count, remaining))  // an element takes at least a byte
        for _ in 0..<count { elements.append(try read(&self)) }
        return elements
    }

    /// A record that may have grown: fields after those that `read` takes are skipped.
    public mutating func record<Value>(
        _ field: StaticString, _ read: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> Value {
        let length = try count(field, atMost: remaining)
        try need(length, field)
        let outer = end
        end = position + length
        let value = try read(&self)
        position = end
        end = outer
        return value
    }

    /// Fails unless everything was read.
    public func finish(_ message: StaticString) throws(WireError) {
        if remaining != 0 { throw WireError(.malformed, "\(message): \(remaining) bytes too many") }
    }

    private func need(_ count: Int, _ field: StaticString) throws(WireError) {
        if remaining < count { throw WireError(.truncated, "\(field): \(count) bytes wanted, \(remaining) left") }
    }
}
