import Blocks
import Model

/// How blocks and lists of ids are written.
enum WireBlocks {
    /// The most bytes of a block before its payload: the name, the codec, and two lengths of up to 1 MiB.
    static let longestHead = 32 + 1 + 4 + 4

    static func write(_ block: EncodedBlock, to writer: inout WireWriter) {
        writer.digest(block.id.digest)
        writer.byte(block.codec.rawValue)
        writer.count(block.length)
        writer.sized(block.payload)
    }

    static func readBlock(_ reader: inout WireReader) throws(WireError) -> EncodedBlock {
        let id = BlockID(try reader.digest("block.id"))
        let raw = try reader.byte("block.codec")
        guard let codec = BlockCodec(rawValue: raw) else { throw WireError(.malformed, "block.codec: \(raw)") }
        let length = try reader.count("block.length", atMost: WireLimits.maximumBlockLength)
        let payload = try reader.sized("block.payload", atMost: WireLimits.maximumBlockLength + 4096)
        return EncodedBlock(id: id, codec: codec, length: length, payload: payload)
    }

    static func write<Kind>(_ names: [HashName<Kind>], to writer: inout WireWriter) {
        writer.list(names) { $0.digest($1.digest) }
    }

    static func readNames<Kind>(
        _ field: StaticString, atMost bound: Int, _ reader: inout WireReader
    ) throws(WireError) -> [HashName<Kind>] {
        try reader.list(field, atMost: bound) { reader throws(WireError) in
            HashName<Kind>(try reader.digest(field))
        }
    }

    static func readPages(_ reader: inout WireReader) throws(WireError) -> [[UInt8]] {
        try reader.list("pages", atMost: WireLimits.maximumPages) { reader throws(WireError) in
            try reader.sized("page", atMost: WireLimits.maximumPageLength)
        }
    }
}
