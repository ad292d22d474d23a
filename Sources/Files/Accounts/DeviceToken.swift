import Blocks
public import Model

/// The secret by which a device shows who it is: `cairn_` and 32 random bytes in base 64 for URLs. The server keeps its
/// hash only; the token itself is shown once.
public struct DeviceToken: Hashable, Sendable {
    /// The token as it is sent.
    public let text: String

    private static let prefix = "cairn_"
    private static let length = 32
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Draws a new token.
    init(from randomness: Randomness) {
        text = Self.prefix + Self.base64(randomness.bytes(Self.length))
    }

    /// Takes a token that was sent; nil when it does not look like one.
    public init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), text.utf8.count == Self.prefix.utf8.count + (Self.length * 8 + 5) / 6,
            text.utf8.dropFirst(Self.prefix.utf8.count).allSatisfy({ Self.alphabet.contains($0) })
        else { return nil }
        self.text = text
    }

    /// What the server keeps. A token is too random to be guessed, so a plain hash is enough.
    public var hash: Digest { SHA256Hasher.digest(of: Array(text.utf8)) }

    /// RFC 4648, section 5, without padding.
    private static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var pending = 0
        var bits = 0
        for byte in bytes {
            pending = pending << 8 | Int(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[pending >> bits & 63])
            }
        }
        if bits > 0 { text.append(alphabet[pending << (6 - bits) & 63]) }
        return String(decoding: text, as: UTF8.self)
    }
}
