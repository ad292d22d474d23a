/// The key that requests are signed with.
public struct S3Credentials: Hashable, Sendable {
    /// The public half.
    public let accessKey: String
    /// The secret half; never shown or sent.
    public let secretKey: String
    /// What goes with a key that was lent for a while; nil for a lasting one.
    public let sessionToken: String?

    /// Makes credentials of their parts.
    public init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }

    /// Takes them from an environment, under the names that all tools of S3 use; nil when either half of the key is
    /// missing or empty.
    /// - Parameter environment: The variables; `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, and
    ///   `AWS_SESSION_TOKEN` count.
    public init?(environment: [String: String]) {
        guard let access = environment["AWS_ACCESS_KEY_ID"], let secret = environment["AWS_SECRET_ACCESS_KEY"],
            !access.isEmpty, !secret.isEmpty
        else { return nil }
        let token = environment["AWS_SESSION_TOKEN"]
        self.init(accessKey: access, secretKey: secret, sessionToken: token?.isEmpty == false ? token : nil)
    }
}

extension S3Credentials: CustomStringConvertible {
    /// Without the secrets.
    public var description: String { "access key \(accessKey)" }
}
