public import Model

/// One region of a store: a bucket, or a part of one.
public struct S3RegionConfiguration: Sendable {
    /// The name in messages, in metrics, and in the notes about what it lacks: it stays for ever, unlike the address.
    /// Up to 32 small letters, digits and hyphens.
    public var name: String
    /// The address of the server, such as `https://s3.example.org`.
    public var address: String
    /// The bucket.
    public var bucket: String
    /// What all keys begin with; empty for the whole bucket.
    public var prefix: String
    /// Where the name of the bucket stands in addresses.
    public var style: S3Endpoint.Style
    /// The server's own name of its region, which signatures are bound to.
    public var serverRegion: String
    /// The key.
    public var credentials: S3Credentials
    /// A file of certificates in PEM that are trusted in place of the system's; nil for those.
    public var certificateAuthority: String?
    /// The storage class of packs; nil for the server's usual one.
    public var storageClass: String?
    /// The region that it has to be, by its mark; nil when any will do.
    public var identity: RegionID?
    /// How many requests may be under way at once.
    public var maximumConnections: Int
    /// Deadlines and retries.
    public var retries: S3RetryPolicy

    /// Makes a configuration; see the properties.
    public init(
        name: String, address: String, bucket: String, prefix: String = "", style: S3Endpoint.Style = .path,
        serverRegion: String = "us-east-1", credentials: S3Credentials, certificateAuthority: String? = nil,
        storageClass: String? = nil, identity: RegionID? = nil, maximumConnections: Int = 32,
        retries: S3RetryPolicy = S3RetryPolicy()
    ) {
        self.name = name
        self.address = address
        self.bucket = bucket
        self.prefix = prefix
        self.style = style
        self.serverRegion = serverRegion
        self.credentials = credentials
        self.certificateAuthority = certificateAuthority
        self.storageClass = storageClass
        self.identity = identity
        self.maximumConnections = maximumConnections
        self.retries = retries
    }

    /// Makes the region, without calling the server.
    /// - Parameters:
    ///   - wallClock: What requests are dated by.
    ///   - generator: Where the jitter of retries comes from.
    /// - Returns: The region; to be closed in the end.
    /// - Throws: ``S3ConfigurationError`` naming what can't be.
    public func makeRegion(
        wallClock: any WallClock, generator: any RandomNumberGenerator & Sendable
    ) throws(S3ConfigurationError) -> S3PackRegion {
        try validate()
        let client = try S3Client(
            endpoint: try S3Endpoint(address, bucket: bucket, style: style), credentials: credentials,
            region: serverRegion, certificateAuthority: certificateAuthority, maximumConnections: maximumConnections,
            policy: retries, wallClock: wallClock, generator: generator)
        return S3PackRegion(
            name: name, client: client, keys: RegionKeys(prefix: prefix), storageClass: storageClass,
            identity: identity)
    }

    private func validate() throws(S3ConfigurationError) {
        guard (1...32).contains(name.utf8.count), name.utf8.allSatisfy({ Self.isPlain($0) }) else {
            throw S3ConfigurationError(
                "'\(name)' is not the name of a region: up to 32 small letters, digits and hyphens")
        }
        guard prefix.utf8.count <= 256, !prefix.hasPrefix("/"),
            prefix.utf8.allSatisfy({ Self.isPlain($0) || $0 == UInt8(ascii: "/") })
        else {
            throw S3ConfigurationError("'\(prefix)' can't begin keys: small letters, digits, hyphens and slashes do")
        }
        guard (1...1024).contains(maximumConnections) else {
            throw S3ConfigurationError("\(maximumConnections) is no number of connections: 1 to 1024")
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
