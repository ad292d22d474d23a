import Blocks
import Metadata
import Model

/// An entry of a cache as it is stored where others may write, too: a byte 1 for the form, 32 bytes of SHA-256 of the rest;
/// the length of the key in four bytes, the key, the entry. What is damaged, cut, or stored under another key opens as
/// nothing.
enum CacheEnvelope {
    private static let form: UInt8 = 1

    static func seal(_ entry: [UInt8], for key: MetadataCacheKey) -> [UInt8] {
        let rest = withUnsafeBytes(of: UInt32(key.bytes.count).bigEndian) { Array($0) } + key.bytes + entry
        return [form] + SHA256Hasher.digest(of: rest).bytes + rest
    }

    static func open(_ bytes: [UInt8], for key: MetadataCacheKey) -> [UInt8]? {
        let start = 37 + key.bytes.count
        guard bytes.count >= start, bytes[0] == form else { return nil }
        let rest = Array(bytes[33...])
        let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard length == key.bytes.count, rest[4..<(4 + length)].elementsEqual(key.bytes),
            bytes[1..<33].elementsEqual(SHA256Hasher.digest(of: rest).bytes)
        else { return nil }
        return Array(bytes[start...])
    }
}
