import Model

/// Bytes in a URL (RFC 3986): everything but the unreserved characters is escaped.
enum PercentEncoding {
    /// One segment of a path.
    static func segment(_ string: String) -> String { encode(Array(string.utf8)) }

    /// A remote path without a leading `/`.
    static func path(_ path: RemotePath) -> String {
        path.names.map { encode($0.bytes) }.joined(separator: "/")
    }

    private static func encode(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text += "%" + [byte].hex.uppercased()
            }
        }
        return text
    }
}
