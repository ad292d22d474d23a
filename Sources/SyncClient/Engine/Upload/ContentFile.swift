import Blocks
import Glibc
import Model

/// A file of the linked folder whose content is to be sent, as it was when its recipe was made.
struct ContentFile: Hashable, Sendable {
    let node: NodeID
    let path: LocalPath
    let fingerprint: Fingerprint
    /// Whether it may have been written to right after it was read, unseen: then every block is hashed again.
    let isRacy: Bool

    /// Opens it.
    /// - Throws: ``ClientError`` with code `unstable` when it is no longer the file that was read.
    func open(in folder: LinkedFolder) throws -> OpenFile {
        do {
            let parent = try folder.handle.folder(at: path.parent ?? .root)
            let file = try parent.open(path.lastName, O_RDONLY | O_NONBLOCK)
            try check(file)
            return file
        } catch let error as ClientError where error.code == .notFound || error.code == .notFolder {
            throw ClientError(.unstable, "'\(path)' was moved or removed while it was sent")
        }
    }

    /// Makes sure that what was read from the open file are the bytes of the recipe.
    func check(_ file: OpenFile) throws {
        guard try file.status().isSameVersion(as: fingerprint) else {
            throw ClientError(.unstable, "'\(path)' was written to while it was sent")
        }
    }

    /// Reads a block.
    func read(_ entry: RecipeEntry, at offset: UInt64, from file: OpenFile) throws -> [UInt8] {
        let length = Int(entry.length)
        let bytes = try [UInt8](unsafeUninitializedCapacity: length) { room, count in
            let buffer = UnsafeMutableRawBufferPointer(room)
            while count < length {
                let got = try file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[count..<length]), at: offset + UInt64(count))
                if got == 0 { break }
                count += got
            }
        }
        guard bytes.count == length, !isRacy || SHA256Hasher.digest(of: bytes) == entry.block.digest else {
            throw ClientError(.unstable, "'\(path)' was written to while it was sent")
        }
        return bytes
    }
}

/// Where a block that may have to be sent is.
struct BlockLocation: Hashable, Sendable {
    let file: ContentFile
    let entry: RecipeEntry
    let offset: UInt64
}
