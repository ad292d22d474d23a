/// Where a node is, from the root of a namespace: its name and those of the folders around it.
public struct RemotePath: Hashable, Sendable {
    /// The names, outermost first; none for the root.
    public let names: [NodeName]

    /// Makes a path of names.
    public init(_ names: [NodeName]) {
        self.names = names
    }

    /// Reads `/a/b`, `a/b` or `a/b/`; an empty string and `/` are the root.
    /// - Throws: ``NodeNameError`` for `.`, `..`, an empty name in the middle, NUL, or a name that is too long.
    public init(_ string: String) throws(NodeNameError) {
        try self.init(bytes: Array(string.utf8))
    }

    /// Reads a path from bytes, as ``init(_:)-(String)`` does.
    public init(bytes: [UInt8]) throws(NodeNameError) {
        var parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if parts.first?.isEmpty == true { parts.removeFirst() }
        if parts.last?.isEmpty == true { parts.removeLast() }
        var names: [NodeName] = []
        for part in parts { names.append(try NodeName(bytes: Array(part))) }
        self.names = names
    }

    /// The root of a namespace.
    public static let root = RemotePath([])

    /// The path of the folder around it; nil for the root.
    public var parent: RemotePath? { names.isEmpty ? nil : RemotePath(names.dropLast()) }

    /// The last name; nil for the root.
    public var name: NodeName? { names.last }

    /// The path of an entry in this folder.
    public func appending(_ name: NodeName) -> RemotePath { RemotePath(names + [name]) }

    /// The bytes of the path, with a leading `/`.
    public var bytes: [UInt8] {
        names.isEmpty ? [UInt8(ascii: "/")] : names.flatMap { [UInt8(ascii: "/")] + $0.bytes }
    }
}

extension RemotePath: CustomStringConvertible {
    /// The path for people: bytes that are not UTF-8 are replaced.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
