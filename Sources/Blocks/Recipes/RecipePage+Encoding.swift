public import Model

extension RecipePage {
    /// What every page begins with: `CRP1`. It also keeps the hash of a page apart from that of ordinary blocks.
    static let magic: UInt32 = 0x4352_5031

    private static let headLength = 7
    private static let blockStride = 36
    private static let pageStride = 40

    static func encode(_ blocks: [RecipeEntry]) -> [UInt8] {
        encode(level: 1, count: blocks.count, stride: blockStride) { out, index in
            out.store(blocks[index].block.digest, at: 0)
            out.store(bigEndian: blocks[index].length, at: 32)
        }
    }

    static func encode(_ pages: [PageEntry], level: UInt8) -> [UInt8] {
        encode(level: level, count: pages.count, stride: pageStride) { out, index in
            out.store(pages[index].child.digest, at: 0)
            out.store(bigEndian: pages[index].size, at: 32)
        }
    }

    private static func encode(
        level: UInt8, count: Int, stride: Int, _ write: (UnsafeMutableRawPointer, Int) -> Void
    ) -> [UInt8] {
        let total = headLength + count * stride
        return [UInt8](unsafeUninitializedCapacity: total) { room, initialized in
            let out = UnsafeMutableRawPointer(room.baseAddress.unsafelyUnwrapped)
            out.store(bigEndian: magic, at: 0)
            out.storeBytes(of: level, toByteOffset: 4, as: UInt8.self)
            out.store(bigEndian: UInt16(count), at: 5)
            for index in 0..<count { write(out + headLength + index * stride, index) }
            initialized = total
        }
    }

    /// Reads a page. Whether it is the page that was asked for, compare ``id`` to tell.
    /// - Throws: ``BlocksError`` `corruptPage` for what no builder makes: another form, lengths out of bounds, an entry
    ///   that should have ended the page before; `tooLarge` beyond ``BlockLimits/maximumPageLength``.
    public init(decoding bytes: [UInt8]) throws {
        guard bytes.count <= BlockLimits.maximumPageLength else {
            throw BlocksError(
                .tooLarge, "a page of \(bytes.count) bytes; at most \(BlockLimits.maximumPageLength) are allowed")
        }
        let (level, entries, size) = try bytes.withUnsafeBytes { bytes throws(BlocksError) in try Self.read(bytes) }
        self.init(level: level, entries: entries, size: size, encoded: bytes)
    }

    /// Reads a page that must be a certain one.
    /// - Throws: ``BlocksError`` `hashMismatch` when it is another one, else as ``init(decoding:)`` does.
    public init(decoding bytes: [UInt8], expecting id: PageID) throws {
        try self.init(decoding: bytes)
        guard self.id == id else { throw BlocksError(.hashMismatch, "page \(id): its bytes have the hash \(self.id)") }
    }

    private static func read(
        _ bytes: UnsafeRawBufferPointer
    ) throws(BlocksError) -> (level: UInt8, entries: Entries, size: UInt64) {
        guard bytes.count > headLength, let start = bytes.baseAddress,
            start.load(bigEndian: UInt32.self, at: 0) == magic
        else { throw corrupt("\(bytes.count) bytes do not begin as a page") }
        let level = bytes[4]
        guard (1...BlockLimits.maximumLevel).contains(level) else { throw corrupt("level \(level)") }
        let count = Int(start.load(bigEndian: UInt16.self, at: 5))
        let stride = level == 1 ? blockStride : pageStride
        guard (1...PageSplit.maximum).contains(count), bytes.count == headLength + count * stride else {
            throw corrupt("\(bytes.count) bytes are not \(count) entries of level \(level)")
        }
        let body = start + headLength
        for index in 0..<(count - 1)
        where PageSplit.ends(after: Digest(loading: body + index * stride), count: index + 1) {
            throw corrupt("it goes on after entry \(index), which ends a page")
        }
        return level == 1 ? try readBlocks(body, count) : try readPages(body, count, level)
    }

    private static func readBlocks(
        _ body: UnsafeRawPointer, _ count: Int
    ) throws(BlocksError) -> (UInt8, Entries, UInt64) {
        var blocks: [RecipeEntry] = []
        blocks.reserveCapacity(count)
        var size: UInt64 = 0
        for index in 0..<count {
            let place = body + index * blockStride
            let length = place.load(bigEndian: UInt32.self, at: 32)
            guard length > 0 && length <= BlockLimits.maximumBlockLength else {
                throw corrupt("entry \(index) is a block of \(length) bytes")
            }
            size += UInt64(length)
            blocks.append(RecipeEntry(block: BlockID(Digest(loading: place)), length: length))
        }
        return (1, .blocks(blocks), size)
    }

    private static func readPages(
        _ body: UnsafeRawPointer, _ count: Int, _ level: UInt8
    ) throws(BlocksError) -> (UInt8, Entries, UInt64) {
        var pages: [PageEntry] = []
        pages.reserveCapacity(count)
        var size: UInt64 = 0
        for index in 0..<count {
            let place = body + index * pageStride
            let bytes = place.load(bigEndian: UInt64.self, at: 32)
            let (sum, overflow) = size.addingReportingOverflow(bytes)
            guard bytes > 0 && !overflow else { throw corrupt("entry \(index) is a page of \(bytes) bytes of content") }
            size = sum
            pages.append(PageEntry(child: PageID(Digest(loading: place)), size: bytes))
        }
        return (level, .pages(pages), size)
    }

    private static func corrupt(_ what: String) -> BlocksError {
        BlocksError(.corruptPage, "a page can't be read: \(what)")
    }
}
