public import Blocks
public import Metadata

/// Gives an account another password. Its devices keep their tokens.
public struct ChangePassword: Sendable {
    private let database: any MetadataDatabase
    private let randomness: Randomness
    private let costs: ScryptPassword

    /// Works with these.
    public init(database: any MetadataDatabase, randomness: Randomness, costs: ScryptPassword = .standard) {
        self.database = database
        self.randomness = randomness
        self.costs = costs
    }

    /// Sets the password.
    /// - Throws: ``FilesError``: `invalidRequest` for a password that is not allowed, `notFound` for no such account.
    public func callAsFunction(name: String, password: String) async throws {
        try AccountRules.check(password: password)
        let hash = try costs.hash(password, salt: randomness.bytes(16))
        try await database.write { connection in
            guard let account = try AccountQueries(connection).byName(name) else {
                throw FilesError(.notFound, "there is no account '\(name)'")
            }
            try AccountQueries(connection).setPassword(account.id, hash: hash)
        }
    }
}
