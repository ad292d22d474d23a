import Glibc

extension OpenFile {
    /// Writes all bytes of another file into this empty one; holes stay holes where the kernel can.
    func copyBytes(of other: OpenFile) throws {
        let size = try other.status().size
        try resize(size)
        try withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 16) { buffer in
            var offset: UInt64 = 0
            while offset < size {
                let count = try other.read(into: buffer, at: offset)
                if count == 0 { break }
                try write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: offset)
                offset += UInt64(count)
            }
        }
    }
}
