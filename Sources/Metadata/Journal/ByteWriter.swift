/// Puts numbers and bytes one after another, numbers most significant byte first.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ more: [UInt8]) {
        bytes += more
    }
}

/// Takes apart what ``ByteWriter`` put together.
struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    /// Whether all was taken.
    var isAtEnd: Bool { rest.isEmpty }

    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws -> Number {
        try bytes(Number.bitWidth / 8).reduce(Number.zero) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    mutating func bytes(_ count: Int) throws -> [UInt8] {
        guard count >= 0, count <= rest.count else {
            throw MetadataError(.corrupt, "a stored record ends \(count - rest.count) bytes early")
        }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}
