import COpenSSL

/// Base 64 (RFC 4648, section 4) without padding, as PHC strings have it.
enum Base64 {
    /// The text of bytes.
    static func encode(_ bytes: [UInt8]) -> String {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return String(decoding: text[..<Int(count)].prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
    }

    /// The bytes of a text; nil for what ``encode(_:)`` would not have made.
    static func decode(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 4 != 1 else { return nil }
        let padding = (4 - digits.count % 4) % 4
        let padded = digits + [UInt8](repeating: UInt8(ascii: "="), count: padding)
        var bytes = [UInt8](repeating: 0, count: padded.count / 4 * 3)
        let count = EVP_DecodeBlock(&bytes, padded, Int32(padded.count))
        guard count == bytes.count else { return nil }
        bytes.removeLast(padding)
        // libcrypto skips white space and ignores stray bits: only the canonical text may pass.
        return encode(bytes) == text ? bytes : nil
    }
}
