import Foundation
public import Model

/// Who this installation is, and where its server is.
public struct Credentials: Codable, Hashable, Sendable {
    /// The server's address.
    public var server: String
    /// The path of a PEM file with the certificates to trust instead of the system's.
    public var certificateAuthority: String?
    /// The account's name.
    public var account: String
    /// The device's name.
    public var device: String
    /// The device's id, 32 hexadecimal digits.
    public var deviceID: String
    /// The account's home namespace, 32 hexadecimal digits.
    public var namespaceID: String
    /// The device's token: whoever has it is the device.
    public var token: String

    private enum CodingKeys: String, CodingKey {
        case server, account, device, token
        case certificateAuthority = "certificate_authority"
        case deviceID = "device_id"
        case namespaceID = "namespace_id"
    }

    /// Makes credentials of their parts.
    public init(
        server: String, certificateAuthority: String?, account: String, device: String, deviceID: String,
        namespaceID: String, token: String
    ) {
        self.server = server
        self.certificateAuthority = certificateAuthority
        self.account = account
        self.device = device
        self.deviceID = deviceID
        self.namespaceID = namespaceID
        self.token = token
    }

    /// The account's home namespace.
    /// - Throws: ``ClientError`` when the file was altered so that it is none.
    public var namespace: NamespaceID {
        get throws {
            guard let id = NamespaceID(hex: namespaceID) else {
                throw ClientError(.notLoggedIn, "the credentials are damaged: log in again")
            }
            return id
        }
    }

    /// How to reach the server with them.
    /// - Throws: ``ClientError`` when the address is none.
    public func transport() throws -> TransportConfiguration {
        try TransportConfiguration(server: server, token: token, certificateAuthority: certificateAuthority)
    }
}

/// The file that holds the credentials: mode 0600, replaced whole.
public struct CredentialStore: Sendable {
    private let home: ClientHome

    /// Uses the file in a home.
    public init(_ home: ClientHome) {
        self.home = home
    }

    /// The credentials; nil before a login.
    /// - Throws: ``ClientError`` when they can't be read.
    public func load() throws -> Credentials? {
        guard let bytes = try PrivateFile.read(home.credentials) else { return nil }
        do {
            return try JSONDecoder().decode(Credentials.self, from: Data(bytes))
        } catch {
            throw ClientError(.notLoggedIn, "'\(home.credentials)' is damaged: log in again (\(error))")
        }
    }

    /// The credentials.
    /// - Throws: ``ClientError`` with code `notLoggedIn` when there are none.
    public func require() throws -> Credentials {
        guard let credentials = try load() else {
            throw ClientError(.notLoggedIn, "nobody is logged in: begin with 'cairn login URL --account NAME'")
        }
        return credentials
    }

    /// Writes the credentials.
    public func save(_ credentials: Credentials) throws {
        try home.prepare()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try PrivateFile.write([UInt8](try encoder.encode(credentials)) + [0x0A], to: home.credentials)
    }

    /// Removes the file; no error when there is none.
    public func remove() throws { try PrivateFile.remove(home.credentials) }
}
