import Glibc

/// An open file, closed when the last one who uses it lets go: a cache may drop it while it is being read.
final class OpenFile: Sendable {
    let descriptor: Int32
    private let calls: any FileCalls

    init(_ path: String, _ flags: Int32, _ calls: any FileCalls) throws(SystemCallFailure) {
        descriptor = try calls.open(path, flags)
        self.calls = calls
    }

    deinit { calls.close(descriptor) }

    /// Writes all bytes at an offset; a short write goes on where it stopped.
    func write(_ bytes: [UInt8], at offset: UInt64) throws(SystemCallFailure) {
        let outcome = bytes.withUnsafeBytes { raw in
            Result { () throws(SystemCallFailure) in try write(raw, at: offset) }
        }
        try outcome.get()
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemCallFailure) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = try calls.write(descriptor, rest, at: offset + UInt64(done))
            // A write of nothing without an error would be repeated for ever.
            if count == 0 { throw SystemCallFailure("pwrite", errno: ENOSPC) }
            done += count
        }
    }

    /// Fills a buffer from an offset; answers how many bytes there were before the file ended.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SystemCallFailure) -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemCallFailure("pread", errno: errno)
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// The bytes of a range; fewer where the file ends.
    func read(_ range: Range<UInt64>) throws(SystemCallFailure) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: range.count, alignment: 16)
        defer { buffer.deallocate() }
        let count = try read(into: buffer, at: range.lowerBound)
        return [UInt8](UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }

    /// The size of the file.
    func size() throws(SystemCallFailure) -> UInt64 {
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw SystemCallFailure("fstat", errno: errno) }
        return UInt64(status.st_size)
    }

    /// Whether a path still leads to this file.
    func isStill(at path: String) -> Bool {
        var mine = stat()
        var theirs = stat()
        return fstat(descriptor, &mine) == 0 && stat(path, &theirs) == 0 && mine.st_dev == theirs.st_dev
            && mine.st_ino == theirs.st_ino
    }
}
