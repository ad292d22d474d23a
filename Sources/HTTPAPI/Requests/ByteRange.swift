/// The range that a request asks for (RFC 9110, section 14). Only one range at a time is understood; anything else is
/// passed over, as the RFC allows, and the whole is answered.
enum ByteRange {
    /// The bytes of a file of `size` bytes that a `Range` field asks for; nil for all of them.
    /// - Throws: ``UnsatisfiableRange`` when no byte of the file is in it.
    static func parse(_ field: String, size: UInt64) throws(UnsatisfiableRange) -> Range<UInt64>? {
        guard field.lowercased().hasPrefix("bytes=") else { return nil }
        let bounds = field.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
            .map { $0.filter { $0 != " " } }
        guard bounds.count == 2 else { return nil }
        if bounds[0].isEmpty {
            guard let suffix = UInt64(bounds[1]) else { return nil }
            guard suffix > 0, size > 0 else { throw UnsatisfiableRange(size: size) }
            return (size - min(suffix, size))..<size
        }
        guard let first = UInt64(bounds[0]) else { return nil }
        let last: UInt64
        if bounds[1].isEmpty {
            last = .max
        } else {
            guard let number = UInt64(bounds[1]), number >= first else { return nil }
            last = number
        }
        guard first < size else { throw UnsatisfiableRange(size: size) }
        return first..<min(size, last == .max ? size : last + 1)
    }
}

/// The file has no byte of the range.
struct UnsatisfiableRange: Error {
    let size: UInt64
}
