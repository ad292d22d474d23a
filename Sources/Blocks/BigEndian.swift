import Model

extension UnsafeMutableRawPointer {
    /// Stores a number, most significant byte first, at any alignment.
    @inline(__always)
    func store(bigEndian number: some FixedWidthInteger, at offset: Int) {
        storeBytes(of: number.bigEndian, toByteOffset: offset, as: type(of: number))
    }

    /// Stores the 32 bytes of a digest.
    @inline(__always)
    func store(_ digest: Digest, at offset: Int) {
        store(bigEndian: digest.words.0, at: offset)
        store(bigEndian: digest.words.1, at: offset + 8)
        store(bigEndian: digest.words.2, at: offset + 16)
        store(bigEndian: digest.words.3, at: offset + 24)
    }
}

extension UnsafeRawPointer {
    /// Loads a number whose most significant byte comes first, at any alignment.
    @inline(__always)
    func load<Number: FixedWidthInteger & BitwiseCopyable>(bigEndian type: Number.Type, at offset: Int) -> Number {
        Number(bigEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}
