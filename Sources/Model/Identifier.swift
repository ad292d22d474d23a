/// A 128-bit identifier of one kind of thing; `Kind` keeps the kinds apart.
///
/// Identifiers are drawn at random by whoever makes the thing: the client draws node ids, so that what was
/// created offline keeps its identity. They order by their bytes.
public struct Identifier<Kind>: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The first eight bytes, most significant first.
    public let high: UInt64
    /// The last eight bytes, most significant first.
    public let low: UInt64

    /// Makes an identifier of its two halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Draws an identifier from a source of randomness.
    public init(using generator: inout some RandomNumberGenerator) {
        self.init(high: generator.next(), low: generator.next())
    }

    /// Reads 16 bytes; nil when `bytes` has any other length.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        self.init(
            high: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
            low: bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// As ``init(bytes:)`` of any collection; rows of a database are read by the thousand.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self = bytes.withUnsafeBytes { bytes in
            Self(
                high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// Reads 32 hexadecimal digits; nil for anything else.
    public init?(hex: String) {
        guard let bytes = [UInt8](hex: hex) else { return nil }
        self.init(bytes: bytes)
    }

    /// The 16 bytes, most significant first.
    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
            bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            count = 16
        }
    }

    /// The identifier as 32 lower-case hexadecimal digits.
    public var hex: String { bytes.hex }

    /// Orders identifiers by their bytes.
    public static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension Identifier: CustomStringConvertible {
    /// The same as ``hex``.
    public var description: String { hex }
}

/// What an ``AccountID`` names.
public enum AccountKind {}
/// What a ``DeviceID`` names.
public enum DeviceKind {}
/// What a ``NamespaceID`` names.
public enum NamespaceKind {}
/// What a ``NodeID`` names.
public enum NodeIdentityKind {}
/// What an ``UploadID`` names.
public enum UploadKind {}
/// What a ``PackID`` names.
public enum PackKind {}
/// What a ``RegionID`` names.
public enum RegionKind {}

/// Names an account: a person who owns storage and a key.
public typealias AccountID = Identifier<AccountKind>
/// Names a device: one client installation of an account.
public typealias DeviceID = Identifier<DeviceKind>
/// Names a namespace: one tree with its own history.
public typealias NamespaceID = Identifier<NamespaceKind>
/// Names a node, whatever it is called and wherever it is moved.
public typealias NodeID = Identifier<NodeIdentityKind>
/// Names an upload and the commit that it becomes: the idempotency key of both.
public typealias UploadID = Identifier<UploadKind>
/// Names a pack: one object in cloud storage.
public typealias PackID = Identifier<PackKind>
/// Names a region: one place that holds a copy of every pack.
public typealias RegionID = Identifier<RegionKind>

extension Identifier where Kind == NodeIdentityKind {
    /// The root folder of every namespace.
    public static var root: NodeID { NodeID(high: 0, low: 0) }
}
