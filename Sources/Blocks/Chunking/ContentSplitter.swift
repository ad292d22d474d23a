public import Model

/// Reads a content piece by piece, cuts it into blocks and names them, within one buffer whatever the content's size.
///
/// One per thread: it reuses its buffer and its hash.
public final class ContentSplitter {
    private let chunker: Chunker
    private let buffer: UnsafeMutableRawBufferPointer
    private var hasher = SHA256Hasher()

    /// Makes a splitter.
    /// - Parameters:
    ///   - chunker: Where to cut.
    ///   - bufferSize: How many bytes to hold; at least the chunker's maximum length.
    public init(chunker: Chunker, bufferSize: Int = 4 << 20) {
        precondition(bufferSize >= chunker.parameters.maximum, "a block must fit the buffer")
        self.chunker = chunker
        buffer = .allocate(byteCount: bufferSize, alignment: 64)
    }

    deinit {
        buffer.deallocate()
    }

    /// Splits what `read` yields.
    ///
    /// - Parameters:
    ///   - read: Fills a part of the buffer that it is given and returns how many bytes; 0 says that the content has
    ///     ended.
    ///   - block: Takes one block after the other: its name, and its bytes, which are only valid during the call.
    /// - Returns: The size of the content in bytes.
    /// - Throws: What `read` or `block` throws.
    /// - Complexity: O(size) time; the memory is the buffer alone.
    public func split(
        read: (UnsafeMutableRawBufferPointer) throws -> Int,
        block: (BlockID, UnsafeRawBufferPointer) throws -> Void
    ) throws -> UInt64 {
        var filled = 0
        var total: UInt64 = 0
        var ended = false
        while !ended {
            ended = try fill(&filled, read)
            let used = try emit(filled, ended, block)
            total += UInt64(used)
            filled -= used
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[used..<(used + filled)]))
        }
        return total
    }

    /// Reads until the buffer is full; whether the content has ended.
    private func fill(_ filled: inout Int, _ read: (UnsafeMutableRawBufferPointer) throws -> Int) throws -> Bool {
        while filled < buffer.count {
            let count = try read(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            precondition(
                count >= 0 && count <= buffer.count - filled, "a read can't yield more than it was given room for")
            if count == 0 { return true }
            filled += count
        }
        return false
    }

    /// Hands out the blocks of the buffer. Short of the end it stops while less than the longest block is at hand, so
    /// that no byte is scanned twice. Returns how many bytes were handed out.
    private func emit(
        _ filled: Int, _ ended: Bool, _ block: (BlockID, UnsafeRawBufferPointer) throws -> Void
    ) throws -> Int {
        var position = 0
        while position < filled, ended || filled - position >= chunker.parameters.maximum {
            let rest = UnsafeRawBufferPointer(rebasing: buffer[position..<filled])
            guard let length = chunker.boundary(in: rest, atEnd: ended) else { break }
            let bytes = UnsafeRawBufferPointer(rebasing: rest[..<length])
            hasher.update(bytes)
            try block(BlockID(hasher.finish()), bytes)
            position += length
        }
        return position
    }
}
