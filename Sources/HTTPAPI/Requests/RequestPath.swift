import Hummingbird
import Model
import WireProtocol

/// The path of a node in the path of a request.
enum RequestPath {
    /// What follows a prefix such as `/v1/files`, each name percent-decoded by itself: `%2F` does not part names, and a name
    /// may hold any bytes.
    static func node(_ request: Request, below prefix: String) throws -> RemotePath {
        let path = request.uri.path
        guard path.hasPrefix(prefix) else { return .root }
        return try decode(String(path.dropFirst(prefix.count)))
    }

    /// Reads a percent-encoded path.
    /// - Throws: `NodeNameError` for names that are not allowed, ``Problem`` for a broken escape.
    static func decode(_ text: String) throws -> RemotePath {
        var parts = Array(text.utf8).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)[...]
        if parts.first?.isEmpty == true { parts.removeFirst() }
        if parts.last?.isEmpty == true { parts.removeLast() }
        return RemotePath(try parts.map { try NodeName(bytes: unescape($0)) })
    }

    /// A percent-encoded name.
    static func name(_ text: String) throws -> NodeName { try NodeName(bytes: unescape(Array(text.utf8)[...])) }

    /// The name so that ``decode(_:)`` reads it again: all but the unreserved characters of RFC 3986 are escaped.
    static func encode(_ name: NodeName) -> String {
        var text = ""
        for byte in name.bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "%" + [byte].hex.uppercased()
            }
        }
        return text
    }

    /// The path so that ``decode(_:)`` reads it again, with a leading slash.
    static func encode(_ path: RemotePath) -> String {
        path.names.isEmpty ? "/" : path.names.map { "/" + encode($0) }.joined()
    }

    private static func unescape(_ text: ArraySlice<UInt8>) throws -> [UInt8] {
        guard text.contains(UInt8(ascii: "%")) else { return Array(text) }
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard let value = [UInt8](hex: digits), value.count == 1 else {
                throw Problem(
                    code: .invalidPath, title: "Invalid path", status: 400,
                    detail: "'\(String(decoding: text, as: UTF8.self))' has a '%' that is no escape")
            }
            bytes += value
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
