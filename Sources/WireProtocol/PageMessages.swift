public import Model

/// Recipe pages on their way, either way.
public struct PageBatch: WireMessage, Hashable {
    /// The encoded pages.
    public var pages: [[UInt8]]

    /// Makes a batch.
    public init(pages: [[UInt8]]) { self.pages = pages }

    /// Appends the fields.
    public func write(to writer: inout WireWriter) throws(WireError) { writer.list(pages) { $0.sized($1) } }

    /// Takes the fields.
    public init(from reader: inout WireReader) throws(WireError) { pages = try WireBlocks.readPages(&reader) }
}

/// Asks for the recipe pages of contents, each without those that the asker has through another content:
/// the answer is the splice that turns the one recipe into the other.
public struct PageQuestion: WireMessage, Hashable {
    /// One recipe asked for.
    public struct Item: Hashable, Sendable {
        /// The content whose pages are wanted.
        public var want: ContentID
        /// A content whose pages the asker has; nil for none.
        public var have: ContentID?

        /// Makes an item of its parts.
        public init(want: ContentID, have: ContentID? = nil) {
            self.want = want
            self.have = have
        }
    }

    /// The recipes asked for.
    public var items: [Item]

    /// Makes a question.
    public init(items: [Item]) { self.items = items }

    /// Appends the fields.
    public func write(to writer: inout WireWriter) throws(WireError) {
        writer.list(items) { writer, item in
            WireNodes.write(item.want, to: &writer)
            writer.byte(item.have == nil ? 0 : 1)
            if let have = item.have { WireNodes.write(have, to: &writer) }
        }
    }

    /// Takes the fields.
    public init(from reader: inout WireReader) throws(WireError) {
        items = try reader.list("items", atMost: WireLimits.maximumPages) { reader throws(WireError) in
            let want = try WireNodes.readContentID(&reader)
            let flag = try reader.byte("have")
            guard flag <= 1 else { throw WireError(.malformed, "have: \(flag)") }
            return Item(want: want, have: flag == 1 ? try WireNodes.readContentID(&reader) : nil)
        }
    }
}

/// What of a question or a window of pages the server lacks.
public struct MissingResponse: WireMessage, Hashable {
    /// The missing blocks, in the order in which they were named.
    public var blocks: [BlockID]

    /// Makes an answer.
    public init(blocks: [BlockID]) { self.blocks = blocks }

    /// Appends the fields.
    public func write(to writer: inout WireWriter) throws(WireError) { WireBlocks.write(blocks, to: &writer) }

    /// Takes the fields.
    public init(from reader: inout WireReader) throws(WireError) {
        blocks = try WireBlocks.readNames("blocks", atMost: 1 << 20, &reader)
    }
}
