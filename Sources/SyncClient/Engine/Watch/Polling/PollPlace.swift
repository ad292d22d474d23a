/// Where a poll goes, and with which token.
public struct PollPlace: Hashable, Sendable {
    /// The base URL of a notification server; nil for the server that the device logged in to.
    public let server: String?
    /// The poll token; nil for the device's own.
    public let token: String?

    /// Names a place.
    public init(server: String?, token: String?) {
        self.server = server
        self.token = token
    }

    /// The server's own route with the device's own token: what always works when anything does.
    public static let home = PollPlace(server: nil, token: nil)
}
