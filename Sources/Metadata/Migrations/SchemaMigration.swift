/// One numbered step of the schema.
public struct SchemaMigration: Sendable {
    /// The version that the schema has after it: 1, 2, 3 …
    public let version: Int
    /// What it does, for logs.
    public let name: String
    /// The statements, in order, with words in braces that ``SQLDialect/render(_:)`` fills in.
    public let statements: [String]
}
