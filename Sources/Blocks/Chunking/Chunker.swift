/// Cuts bytes into blocks where the bytes themselves say so, so that an insertion moves no cut but those beside it.
///
/// The algorithm is FastCDC with normalised chunking, two bytes a step (Xia et al., "The Design of Fast Content-Defined
/// Chunking for Data Deduplication Based Storage Systems", IEEE TPDS 2020); docs/format.md gives it exactly. A chunker
/// is immutable: share one between all threads.
public final class Chunker: Sendable {
    /// The lengths of the blocks.
    public let parameters: ChunkerParameters
    private let tables: Tables
    private let strict: UInt64
    private let lax: UInt64

    /// Makes a chunker; allocates its tables.
    public init(_ parameters: ChunkerParameters = .standard) {
        self.parameters = parameters
        tables = Tables()
        let bits = parameters.normal.trailingZeroBitCount
        // Normalisation level 2: cuts are four times rarer before the normal length and four times likelier after.
        strict = GearTable.mask(bits: bits + 2)
        lax = GearTable.mask(bits: bits - 2)
    }

    /// The length of the block that `bytes` begin with.
    ///
    /// - Parameters:
    ///   - bytes: What is at hand from the start of the block on. No more than the maximum length is looked at.
    ///   - atEnd: Whether nothing follows `bytes`.
    /// - Returns: A length from 1 to the maximum; nil when more bytes are needed to tell, or when there are none at
    ///   all. With at least the maximum length at hand the answer is never nil.
    /// - Complexity: O(the length returned), at 2 GB/s and more.
    public func boundary(in bytes: UnsafeRawBufferPointer, atEnd: Bool) -> Int? {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return nil }
        let limit = min(bytes.count, parameters.maximum)
        if limit > parameters.minimum {
            let found = tables.scan(
                start.assumingMemoryBound(to: UInt8.self), from: parameters.minimum,
                change: min(parameters.normal, limit), to: limit, strict: strict, lax: lax)
            if let found { return found }
        }
        return limit == parameters.maximum || atEnd ? limit : nil
    }
}

/// The gear numbers, and the same shifted left by one for the first byte of each step.
///
/// Sendable although it holds pointers: the memory is written in `init` and never again.
private final class Tables: @unchecked Sendable {
    private let plain: UnsafeMutablePointer<UInt64>
    private let shifted: UnsafeMutablePointer<UInt64>

    init() {
        plain = .allocate(capacity: 256)
        shifted = .allocate(capacity: 256)
        for (index, number) in GearTable.numbers().enumerated() {
            (plain + index).initialize(to: number)
            (shifted + index).initialize(to: number << 1)
        }
    }

    deinit {
        plain.deallocate()
        shifted.deallocate()
    }

    /// The first cut in `from..<to`: under the strict mask before `change`, under the lax one from there on.
    func scan(
        _ bytes: UnsafePointer<UInt8>, from: Int, change: Int, to limit: Int, strict: UInt64, lax: UInt64
    ) -> Int? {
        var hash: UInt64 = 0
        // An odd byte before `change` can only be the last at hand; it is rolled with its partner when more is.
        let cut = roll(bytes, from, change, strict, plain, shifted, &hash)
        if cut != 0 { return cut }
        let second = roll(bytes, change, limit, lax, plain, shifted, &hash)
        return second != 0 ? second : nil
    }
}

/// Rolls the hash over `from..<to`, two bytes a step, and returns the length up to and with the byte where it meets the
/// mask; 0 for none. An odd last byte is left out: a cut after the last byte at hand tells nothing.
///
/// It is a free function with pointer arguments that is never inlined, so that the loop keeps everything in
/// registers and has no bounds checks: this is the hottest loop there is.
@inline(never)
private func roll(
    _ bytes: UnsafePointer<UInt8>, _ from: Int, _ to: Int, _ mask: UInt64, _ plain: UnsafePointer<UInt64>,
    _ shifted: UnsafePointer<UInt64>, _ state: inout UInt64
) -> Int {
    var hash = state
    var index = from
    let end = from &+ ((to &- from) & ~1)
    let shiftedMask = mask &<< 1
    while index < end {
        hash = (hash &<< 2) &+ shifted[Int(bytes[index])]
        if hash & shiftedMask == 0 { return index &+ 1 }
        hash = hash &+ plain[Int(bytes[index &+ 1])]
        if hash & mask == 0 { return index &+ 2 }
        index &+= 2
    }
    state = hash
    return 0
}
