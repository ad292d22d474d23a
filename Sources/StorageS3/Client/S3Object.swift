/// What is known of an object without reading it.
public struct S3ObjectInfo: Hashable, Sendable {
    /// How many bytes it has.
    public let size: UInt64
    /// Names this state of the object, for conditions only: it is no checksum of the bytes. Empty when none was given.
    public let etag: String
    /// The storage class; nil for the usual one.
    public let storageClass: String?
    /// Whether an archived object is being fetched, or how long it stays; nil when nobody has asked for it.
    public let restore: S3Restore?
    /// What was stored beside the bytes, by names without `x-amz-meta-`.
    public let metadata: [String: String]

    init(_ reply: HTTPReply) throws(S3Failure) {
        guard let size = reply.headers["content-length"].flatMap({ UInt64($0) }) else {
            throw S3Failure(.malformed, "an answer without a length")
        }
        self.size = size
        etag = reply.headers["etag"] ?? ""
        storageClass = reply.headers["x-amz-storage-class"]
        restore = reply.headers["x-amz-restore"].flatMap { S3Restore($0) }
        var metadata: [String: String] = [:]
        for (name, value) in reply.headers where name.hasPrefix("x-amz-meta-") {
            metadata[String(name.dropFirst("x-amz-meta-".count))] = value
        }
        self.metadata = metadata
    }
}

/// What the header `x-amz-restore` says about an archived object.
public enum S3Restore: Hashable, Sendable {
    /// It is on its way.
    case ongoing
    /// It can be read, until the date that the server names in its own words.
    case available(until: String?)

    /// Reads `ongoing-request="true"`, or `ongoing-request="false", expiry-date="…"`; nil for anything else.
    init?(_ header: String) {
        let parts = header.split(separator: "\"", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0] == "ongoing-request=" else { return nil }
        switch parts[1] {
        case "true": self = .ongoing
        case "false":
            let date = parts.count >= 5 && parts[2].hasSuffix("expiry-date=") ? String(parts[3]) : nil
            self = .available(until: date)
        default: return nil
        }
    }
}

/// When an object is stored at all.
public enum S3Condition: Hashable, Sendable {
    /// Always.
    case none
    /// When there is none of this key.
    case isAbsent
    /// When the one that is there has this ETag.
    case matches(String)

    var headers: [(name: String, value: String)] {
        switch self {
        case .none: []
        case .isAbsent: [(name: "if-none-match", value: "*")]
        case .matches(let etag): [(name: "if-match", value: etag)]
        }
    }
}

/// How an object is stored.
public struct S3PutOptions: Hashable, Sendable {
    /// When it is stored at all.
    public var condition: S3Condition
    /// The storage class; nil for the usual one.
    public var storageClass: String?
    /// What is stored beside the bytes, by names in small letters.
    public var metadata: [String: String]
    /// Whether an MD5 of the bytes goes with it. The signed SHA-256 says as much to servers that check it.
    public var withMD5: Bool

    /// Makes options.
    public init(
        condition: S3Condition = .none, storageClass: String? = nil, metadata: [String: String] = [:],
        withMD5: Bool = false
    ) {
        self.condition = condition
        self.storageClass = storageClass
        self.metadata = metadata
        self.withMD5 = withMD5
    }

    var headers: [(name: String, value: String)] {
        var headers = metadata.sorted { $0.key < $1.key }.map { (name: "x-amz-meta-\($0.key)", value: $0.value) }
        if let storageClass { headers.append((name: "x-amz-storage-class", value: storageClass)) }
        return headers
    }
}
