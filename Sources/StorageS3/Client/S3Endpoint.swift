/// Where a bucket is reached, and how its name goes into the address.
public struct S3Endpoint: Hashable, Sendable {
    /// Where the name of the bucket stands.
    public enum Style: String, Hashable, Sendable, CaseIterable {
        /// `https://server/bucket/key`: what servers of one's own understand.
        case path
        /// `https://bucket.server/key`: what AWS prefers.
        case virtualHost = "virtual-host"
    }

    /// `http` or `https`.
    let scheme: String
    /// The host, with the port where it is not the scheme's own.
    let authority: String
    /// The bucket.
    public let bucket: String
    let style: Style

    /// Reads the address of a server.
    /// - Parameters:
    ///   - address: `https://server` or `http://server:port`, without a path.
    ///   - bucket: The name of the bucket.
    ///   - style: Where that name stands.
    /// - Throws: ``S3ConfigurationError`` saying what is wrong.
    public init(_ address: String, bucket: String, style: Style = .path) throws(S3ConfigurationError) {
        guard let separator = address.firstRange(of: "://") else {
            throw S3ConfigurationError("'\(address)' is not the address of an S3 server: it begins with https://")
        }
        scheme = address[..<separator.lowerBound].lowercased()
        var rest = address[separator.upperBound...]
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard scheme == "https" || scheme == "http", !rest.isEmpty,
            !rest.contains(where: { $0 == "/" || $0 == "?" || $0 == "#" || $0 == "@" || $0.isWhitespace })
        else {
            throw S3ConfigurationError(
                "'\(address)' is not the address of an S3 server: it has a scheme, a name, maybe a port, and no path")
        }
        let ownPort = scheme == "https" ? ":443" : ":80"
        authority = (rest.hasSuffix(ownPort) ? rest.dropLast(ownPort.count) : rest).lowercased()
        guard Self.isBucket(bucket) else {
            throw S3ConfigurationError(
                "'\(bucket)' is not the name of a bucket: 3 to 63 small letters, digits, dots and hyphens")
        }
        self.bucket = bucket
        self.style = style
    }

    private static func isBucket(_ name: String) -> Bool {
        (3...63).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "."), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// The value of the `Host` header.
    var host: String { style == .path ? authority : "\(bucket).\(authority)" }

    /// The encoded path of a key; of the bucket itself for an empty one.
    func path(of key: String) -> String {
        let encoded = PercentEncoding.encode(key, keepingSlashes: true)
        switch style {
        case .path: return key.isEmpty ? "/\(bucket)" : "/\(bucket)/\(encoded)"
        case .virtualHost: return "/\(encoded)"
        }
    }

    /// The address of a request.
    func address(path: String, query: String) -> String {
        "\(scheme)://\(host)\(path)" + (query.isEmpty ? "" : "?\(query)")
    }
}

extension S3Endpoint: CustomStringConvertible {
    /// The server and the bucket.
    public var description: String { "bucket \(bucket) at \(scheme)://\(authority)" }
}

/// A setting that can't be.
public struct S3ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, with the value.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
