/// 32 bytes of SHA-256.
public struct Digest: Hashable, Comparable, Sendable {
    /// The four words of the hash, each big-endian, in order.
    public let words: (UInt64, UInt64, UInt64, UInt64)

    /// Makes a digest of its words.
    public init(words: (UInt64, UInt64, UInt64, UInt64)) {
        self.words = words
    }

    /// Reads 32 bytes; nil when `bytes` has any other length.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, byte) in bytes.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
        self.init(words: (words[0], words[1], words[2], words[3]))
    }

    /// As ``init(bytes:)`` of any collection; rows of a database are read by the thousand.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self = bytes.withUnsafeBytes { Self(loading: $0.baseAddress.unsafelyUnwrapped) }
    }

    /// Reads 32 bytes at an address.
    public init(loading bytes: UnsafeRawPointer) {
        func word(_ offset: Int) -> UInt64 {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        self.init(words: (word(0), word(8), word(16), word(24)))
    }

    /// Reads 64 hexadecimal digits; nil for anything else.
    public init?(hex: String) {
        guard let bytes = [UInt8](hex: hex) else { return nil }
        self.init(bytes: bytes)
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            bytes.storeBytes(of: words.0.bigEndian, toByteOffset: 0, as: UInt64.self)
            bytes.storeBytes(of: words.1.bigEndian, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: words.2.bigEndian, toByteOffset: 16, as: UInt64.self)
            bytes.storeBytes(of: words.3.bigEndian, toByteOffset: 24, as: UInt64.self)
            count = 32
        }
    }

    /// The digest as 64 lower-case hexadecimal digits.
    public var hex: String { bytes.hex }

    /// Compares all bytes.
    public static func == (left: Self, right: Self) -> Bool { left.words == right.words }

    /// Orders digests by their bytes.
    public static func < (left: Self, right: Self) -> Bool { left.words < right.words }

    /// Hashes the first word: a digest is already spread evenly.
    public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

extension Digest: CustomStringConvertible {
    /// The same as ``hex``.
    public var description: String { hex }
}

/// A digest that names one kind of thing; `Kind` keeps the kinds apart.
public struct HashName<Kind>: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The hash itself.
    public let digest: Digest

    /// Takes a digest as a name.
    public init(_ digest: Digest) {
        self.digest = digest
    }

    /// The name as 64 lower-case hexadecimal digits.
    public var description: String { digest.hex }

    /// Orders names by the bytes of their digests.
    public static func < (left: Self, right: Self) -> Bool { left.digest < right.digest }
}

/// What a ``BlockID`` names.
public enum BlockKind {}
/// What a ``PageID`` names.
public enum PageKind {}
/// What a ``CommitHash`` names.
public enum CommitKind {}

/// Names a block: SHA-256 of its plaintext.
public typealias BlockID = HashName<BlockKind>
/// Names a page of a recipe: SHA-256 of its encoded bytes.
public typealias PageID = HashName<PageKind>
/// Names a commit and all history before it: SHA-256 over the one before it and its own changes.
public typealias CommitHash = HashName<CommitKind>

extension HashName where Kind == CommitKind {
    /// The hash before the first commit: 32 zero bytes.
    public static var origin: CommitHash { CommitHash(Digest(words: (0, 0, 0, 0))) }
}
