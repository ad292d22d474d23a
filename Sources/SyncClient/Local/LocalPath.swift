import Model

/// A path below the linked folder, or an absolute one for messages: names joined by `/`, kept as bytes.
struct LocalPath: Hashable, Sendable {
    /// The bytes, without a slash at either end; empty for the linked folder itself.
    let bytes: [UInt8]

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    init(_ names: [NodeName]) {
        var bytes: [UInt8] = []
        for name in names {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: "/")) }
            bytes += name.bytes
        }
        self.bytes = bytes
    }

    /// The linked folder itself.
    static let root = LocalPath(bytes: [])

    var isRoot: Bool { bytes.isEmpty }

    /// The path of an entry of this folder.
    func appending(_ name: some Collection<UInt8>) -> LocalPath {
        var joined: [UInt8] = []
        joined.reserveCapacity(bytes.count + name.count + 1)
        joined += bytes
        if !bytes.isEmpty { joined.append(UInt8(ascii: "/")) }
        joined += name
        return LocalPath(bytes: joined)
    }

    func appending(_ name: NodeName) -> LocalPath { appending(name.bytes) }

    /// The folder around it; nil for the linked folder itself.
    var parent: LocalPath? {
        if isRoot { return nil }
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return .root }
        return LocalPath(bytes: Array(bytes[..<slash]))
    }

    /// The bytes after the last slash; empty for the linked folder itself.
    var lastName: [UInt8] {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return bytes }
        return Array(bytes[(slash + 1)...])
    }

    /// The names, outermost first.
    var components: [ArraySlice<UInt8>] { bytes.split(separator: UInt8(ascii: "/")) }

    /// The path from a folder above it (or from itself) to here.
    func relative(to other: LocalPath) -> LocalPath {
        precondition(isWithin(other), "'\(self)' is not below '\(other)'")
        if other.isRoot { return self }
        return LocalPath(bytes: Array(bytes.dropFirst(other.bytes.count + 1)))
    }

    /// Whether this is `other` or lies below it.
    func isWithin(_ other: LocalPath) -> Bool {
        if other.isRoot { return true }
        guard bytes.starts(with: other.bytes) else { return false }
        return bytes.count == other.bytes.count || bytes[other.bytes.count] == UInt8(ascii: "/")
    }
}

extension LocalPath: CustomStringConvertible {
    /// The path for people: bytes that are not UTF-8 are replaced.
    var description: String { isRoot ? "." : String(decoding: bytes, as: UTF8.self) }
}
