/// Where and how the client reaches its server.
public struct TransportConfiguration: Sendable {
    /// The server's address, `https://host[:port][/prefix]`, without a `/` at the end.
    public var server: String
    /// The device's token; nil before a login.
    public var token: String?
    /// The path of a PEM file with the certificates to trust instead of the system's.
    public var certificateAuthority: String?
    /// How failed calls are repeated.
    public var retry: RetryPolicy
    /// Waits between two attempts; tests pass one that does not.
    public var pause: @Sendable (Duration) async throws -> Void

    /// Makes a configuration of its parts.
    /// - Throws: ``ClientError`` with code `usage` when `server` is no address.
    public init(
        server: String, token: String? = nil, certificateAuthority: String? = nil, retry: RetryPolicy = .standard,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) throws {
        self.server = try Self.normalized(server)
        self.token = token
        self.certificateAuthority = certificateAuthority
        self.retry = retry
        self.pause = pause
    }

    /// An address without a `/` at the end.
    static func normalized(_ server: String) throws -> String {
        var address = server
        while address.hasSuffix("/") { address.removeLast() }
        let scheme = ["https://", "http://"].first { address.lowercased().hasPrefix($0) }
        guard let scheme, address.utf8.count > scheme.utf8.count, !address.contains(where: \.isWhitespace),
            !address.contains("?"), !address.contains("#"), !address.contains("@")
        else { throw ClientError(.usage, "'\(server)' is not a server's address: https://host[:port] is expected") }
        return address
    }
}
