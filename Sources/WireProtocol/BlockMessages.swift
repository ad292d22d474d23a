public import Blocks
public import Model

/// Blocks on their way, either way.
public struct BlockBatch: WireMessage, Hashable {
    /// The blocks, in the order asked for.
    public var blocks: [EncodedBlock]

    /// Makes a batch.
    public init(blocks: [EncodedBlock]) { self.blocks = blocks }

    /// The bytes of a batch before its first block, for who writes a batch part by part.
    public static func head(count: Int) -> [UInt8] {
        var writer = WireWriter()
        writer.count(count)
        return writer.bytes
    }

    /// The bytes of some blocks within a batch.
    public static func part(_ blocks: [EncodedBlock]) -> [UInt8] {
        var writer = WireWriter(capacity: blocks.reduce(0) { $0 + $1.payload.count + WireBlocks.longestHead })
        for block in blocks { WireBlocks.write(block, to: &writer) }
        return writer.bytes
    }

    /// Appends the fields.
    public func write(to writer: inout WireWriter) throws(WireError) {
        writer.list(blocks) { WireBlocks.write($1, to: &$0) }
    }

    /// Takes the fields.
    public init(from reader: inout WireReader) throws(WireError) {
        blocks = try reader.list("blocks", atMost: WireLimits.maximumBlocks, WireBlocks.readBlock)
    }
}

/// Names of blocks: to fetch them, or to ask which of them are missing.
public struct BlockNames: WireMessage, Hashable {
    /// The names.
    public var blocks: [BlockID]

    /// Makes a list of names.
    public init(blocks: [BlockID]) { self.blocks = blocks }

    /// Appends the fields.
    public func write(to writer: inout WireWriter) throws(WireError) { WireBlocks.write(blocks, to: &writer) }

    /// Takes the fields.
    public init(from reader: inout WireReader) throws(WireError) {
        blocks = try WireBlocks.readNames("blocks", atMost: WireLimits.maximumBlocks, &reader)
    }
}

/// The answer to a batch of blocks: all of them are durable.
public struct StoredResponse: WireMessage, Hashable {
    /// How many of them were new to the account.
    public var added: Int
    /// What became of the upload that they belong to, when these were the last that it missed.
    public var outcome: UploadOutcome?

    /// Makes an answer of its parts.
    public init(added: Int, outcome: UploadOutcome?) {
        self.added = added
        self.outcome = outcome
    }

    /// Appends the fields.
    public func write(to writer: inout WireWriter) throws(WireError) {
        writer.count(added)
        writer.byte(outcome == nil ? 0 : 1)
        try outcome?.write(to: &writer)
    }

    /// Takes the fields.
    public init(from reader: inout WireReader) throws(WireError) {
        added = try reader.count("added", atMost: WireLimits.maximumBlocks)
        let flag = try reader.byte("outcome")
        guard flag <= 1 else { throw WireError(.malformed, "outcome: \(flag)") }
        outcome = flag == 1 ? try UploadOutcome(from: &reader) : nil
    }
}
