public import Blocks
public import Metadata
public import Model

/// Makes an account with its key and its empty home namespace.
public struct CreateAccount: Sendable {
    private let database: any MetadataDatabase
    private let keys: any KeyRingSource
    private let clock: any WallClock
    private let randomness: Randomness
    private let costs: ScryptPassword

    /// Works with these; no store is needed, so that it can be done while the server is stopped.
    public init(
        database: any MetadataDatabase, keyRing: any KeyRingSource, clock: any WallClock, randomness: Randomness,
        costs: ScryptPassword = .standard
    ) {
        self.database = database
        keys = keyRing
        self.clock = clock
        self.randomness = randomness
        self.costs = costs
    }

    /// Makes the account.
    /// - Throws: ``FilesError``: `invalidRequest` for a name or a password that is not allowed, `alreadyExists`.
    public func callAsFunction(name: String, password: String) async throws -> AccountRecord {
        try AccountRules.check(name: name)
        try AccountRules.check(password: password)
        let id: AccountID = randomness.identifier()
        let wrapped = try keys.keyRing().wrap(.generate(), for: id)
        let account = AccountRecord(
            id: id, name: name, passwordHash: try costs.hash(password, salt: randomness.bytes(16)),
            masterKey: wrapped.masterKey, wrappedKey: wrapped.bytes, home: randomness.identifier(), created: clock.now()
        )
        try await database.write { connection in
            guard try AccountQueries(connection).byName(name) == nil else {
                throw FilesError(.alreadyExists, "there is an account '\(name)' already")
            }
            try AccountQueries(connection).create(account)
            try NamespaceQueries(connection).create(account.home, owner: account.id, at: account.created)
        }
        return account
    }
}

/// What an account's name and password may be.
enum AccountRules {
    /// The fewest characters of a password, as NIST SP 800-63B asks for.
    static let shortestPassword = 8
    /// The most bytes of a password: hashing reads all of them.
    static let longestPassword = 1024

    static func check(name: String) throws(FilesError) {
        let allowed = name.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || "._-@+".unicodeScalars.contains(scalar)
        }
        guard !name.isEmpty, name.utf8.count <= 128, allowed else {
            throw FilesError(
                .invalidRequest, "an account name has 1 to 128 bytes: letters, digits and the characters . _ - @ +")
        }
    }

    static func check(password: String) throws(FilesError) {
        guard password.count >= shortestPassword else {
            throw FilesError(.invalidRequest, "a password has at least \(shortestPassword) characters")
        }
        guard password.utf8.count <= longestPassword else {
            throw FilesError(.invalidRequest, "a password has at most \(longestPassword) bytes")
        }
    }
}
