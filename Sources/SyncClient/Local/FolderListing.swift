import CLinux
import Glibc
import Model

/// The names in a folder in the order of their bytes, kept in one stretch of memory, each with a NUL behind it.
struct FolderListing {
    private var bytes: [UInt8] = []
    private var ranges: [(start: Int, length: Int)] = []

    /// Reads the names of a folder, without `.` and `..`, from its beginning.
    /// - Throws: ``ClientError`` when the folder can't be read to its end: a part of it would look like removed files.
    init(_ folder: OpenFile) throws {
        lseek(folder.descriptor, 0, SEEK_SET)
        try withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { buffer in
            while true {
                let count = cairn_getdents(folder.descriptor, buffer.baseAddress, buffer.count)
                guard count >= 0 else { throw folder.failure("list the folder") }
                if count == 0 { break }
                take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
        bytes.withUnsafeBytes { all in
            ranges.sort { Self.compare(all, $0, $1) < 0 }
        }
    }

    var count: Int { ranges.count }

    /// The name at an index; valid during the call.
    func withName<Answer>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> Answer) rethrows -> Answer {
        let range = ranges[index]
        return try bytes.withUnsafeBytes {
            try body(UnsafeRawBufferPointer(rebasing: $0[range.start..<(range.start + range.length)]))
        }
    }

    /// The name at an index as the C library takes it; valid during the call.
    func withCName<Answer>(_ index: Int, _ body: (UnsafePointer<CChar>) throws -> Answer) rethrows -> Answer {
        try bytes.withUnsafeBytes {
            let base = $0.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CChar.self)
            return try body(base + ranges[index].start)
        }
    }

    /// The name at an index.
    subscript(index: Int) -> [UInt8] { withName(index) { [UInt8]($0) } }

    /// The entries as `linux_dirent64` has them: inode (8), position (8), length (2), type (1), name, NUL.
    private mutating func take(_ entries: UnsafeRawBufferPointer) {
        var position = 0
        while position < entries.count {
            let length = Int(entries.loadUnaligned(fromByteOffset: position + 16, as: UInt16.self))
            let name = UnsafeRawBufferPointer(rebasing: entries[(position + 19)..<(position + length)])
            let size = strnlen(name.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CChar.self), name.count)
            if !Self.isDots(name, size) {
                ranges.append((bytes.count, size))
                bytes.append(contentsOf: name[..<size])
                bytes.append(0)
            }
            position += length
        }
    }

    private static func isDots(_ name: UnsafeRawBufferPointer, _ size: Int) -> Bool {
        (size == 1 && name[0] == 0x2E) || (size == 2 && name[0] == 0x2E && name[1] == 0x2E)
    }

    private static func compare(
        _ all: UnsafeRawBufferPointer, _ left: (start: Int, length: Int), _ right: (start: Int, length: Int)
    ) -> Int {
        let base = all.baseAddress.unsafelyUnwrapped
        let order = memcmp(base + left.start, base + right.start, min(left.length, right.length))
        return order != 0 ? Int(order) : left.length - right.length
    }
}
