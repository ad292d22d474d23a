import Blocks
import WireProtocol

/// Message bodies as they travel: compressed where that makes them smaller.
enum MessageCodec {
    static let encoding = "zstd"

    /// The body to send, and whether it is compressed.
    static func pack(_ bytes: [UInt8]) -> (bytes: [UInt8], isCompressed: Bool) {
        guard bytes.count >= WireLimits.compressedFrom, let packed = MessageCompression.compress(bytes) else {
            return (bytes, false)
        }
        return (packed, true)
    }

    /// The message in a received body.
    static func unpack(_ answer: HTTPAnswer) throws -> [UInt8] {
        switch answer.headers["content-encoding"] {
        case nil, "identity": return answer.body
        case encoding:
            do {
                return try MessageCompression.decompress(answer.body, atMost: WireLimits.maximumBody)
            } catch {
                throw ClientError(.protocolViolation, "an answer can't be decompressed: \(error)")
            }
        case let other?:
            throw ClientError(.protocolViolation, "an answer is encoded as '\(other)'")
        }
    }
}
