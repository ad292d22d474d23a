/// The name of a node within its folder: 1 to 255 bytes, kept exactly as they came.
///
/// A name is bytes, as in the Linux kernel: most are UTF-8, none has to be. `/` and NUL can't be in a name, and
/// `.` and `..` are not names.
public struct NodeName: Hashable, Comparable, Sendable {
    /// The most bytes that a name may have.
    public static let maximumLength = 255

    /// The bytes of the name.
    public let bytes: [UInt8]

    /// Takes bytes as a name.
    /// - Throws: ``NodeNameError`` naming what is wrong with them.
    public init(bytes: [UInt8]) throws(NodeNameError) {
        if bytes.isEmpty { throw .empty }
        if bytes.count > Self.maximumLength { throw .tooLong(bytes) }
        if bytes.contains(0) { throw .nul(bytes) }
        if bytes.contains(UInt8(ascii: "/")) { throw .separator(bytes) }
        if bytes == [0x2E] || bytes == [0x2E, 0x2E] { throw .dots(bytes) }
        self.bytes = bytes
    }

    /// Takes the UTF-8 of a string as a name.
    /// - Throws: ``NodeNameError`` naming what is wrong with it.
    public init(_ string: String) throws(NodeNameError) {
        try self.init(bytes: Array(string.utf8))
    }

    /// Orders names by their bytes.
    public static func < (left: Self, right: Self) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

extension NodeName: CustomStringConvertible {
    /// The name for people: bytes that are not UTF-8 are replaced. Never use it to find a file.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}

/// Why bytes are not a ``NodeName``.
public enum NodeNameError: Error, Hashable, CustomStringConvertible {
    /// There are none.
    case empty
    /// There are more than ``NodeName/maximumLength``.
    case tooLong([UInt8])
    /// There is a NUL among them.
    case nul([UInt8])
    /// There is a `/` among them.
    case separator([UInt8])
    /// They are `.` or `..`.
    case dots([UInt8])

    /// What is wrong, with the name.
    public var description: String {
        func shown(_ bytes: [UInt8]) -> String { "'" + String(decoding: bytes, as: UTF8.self) + "'" }
        return switch self {
        case .empty: "a name is empty"
        case .tooLong(let bytes):
            "the name \(shown(Array(bytes.prefix(40))))… has \(bytes.count) bytes; at most \(NodeName.maximumLength) are allowed"
        case .nul(let bytes): "the name \(shown(bytes.filter { $0 != 0 })) contains a NUL byte"
        case .separator(let bytes): "the name \(shown(bytes)) contains '/'"
        case .dots(let bytes): "\(shown(bytes)) is not a name: a path may not contain '.' or '..'"
        }
    }
}
