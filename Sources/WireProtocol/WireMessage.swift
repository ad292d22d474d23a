/// A body of the protocol that has one binary form.
public protocol WireMessage: Sendable {
    /// Appends the fields.
    func write(to writer: inout WireWriter) throws(WireError)
    /// Takes the fields.
    /// - Throws: ``WireError`` naming the field that is cut off, malformed or above its bound.
    init(from reader: inout WireReader) throws(WireError)
}

extension WireMessage {
    /// The message as bytes.
    public func encoded() throws(WireError) -> [UInt8] {
        var writer = WireWriter()
        try write(to: &writer)
        return writer.bytes
    }

    /// Reads a message that takes up all of `bytes`.
    /// - Throws: ``WireError``; also when bytes are left over.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        try self.init(from: &reader)
        try reader.finish("message")
    }
}

/// The bounds of the protocol; a server may set lower ones, none higher.
public enum WireLimits {
    /// The media type of every binary body.
    public static let mediaType = "application/vnd.cairn.v1"
    /// Most bytes of a body, decompressed, unless a route says otherwise.
    public static let maximumBody = 32 << 20
    /// Most changes in one commit.
    public static let maximumChanges = 10_000
    /// Most blocks in one batch, and ids in one question.
    public static let maximumBlocks = 8_192
    /// Most plaintext bytes of one block.
    public static let maximumBlockLength = 1 << 20
    /// Most recipe pages in one message.
    public static let maximumPages = 4_096
    /// Most bytes of one recipe page.
    public static let maximumPageLength = 64 << 10
    /// Most bytes of a symbolic link's target.
    public static let maximumTargetLength = 4_096
    /// Most namespaces in one poll.
    public static let maximumCursors = 10_000
    /// From this length on a body is worth compressing.
    public static let compressedFrom = 256
}
