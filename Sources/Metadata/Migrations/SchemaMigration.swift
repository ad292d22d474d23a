/// One numbered step of the schema.
public struct SchemaMigration: Sendable {
    /// The version that the schema has after it: 1, 2, 3 …
    public let version: Int
    /// What it does, for logs.
    public let name: String
    /// The statements, in order, with words in braces that ``SQLDialect/render(_:)`` fills in.
    public let statements: [String]

    /// Makes a step of its parts.
    public init(version: Int, name: String, statements: [String]) {
        self.version = version
        self.name = name
        self.statements = statements
    }
}
