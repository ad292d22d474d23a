/// Why a document is not a policy.
public struct PolicyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with it, for people.
    public let description: String

    /// Takes a message.
    public init(_ description: String) {
        self.description = description
    }
}
