/// A connection within one transaction, as the body of ``MetadataDatabase/read(_:)`` or ``MetadataDatabase/write(_:)``
/// gets it. It must not leave that body. All calls block until the database has answered.
///
/// Statements name their parameters `$1`, `$2` …, each as often as they like, and `bindings` has one value for each.
/// An adapter passes every value on with its type, so that a database that infers types need not guess. It keeps
/// prepared statements by their text: callers use few texts, whatever the number of rows.
public protocol MetadataConnection {
    /// The words in which the database differs from others.
    var dialect: SQLDialect { get }

    /// Runs a statement that answers with rows; all of them are read before it returns.
    /// - Throws: ``MetadataError``.
    func query(_ sql: String, _ bindings: [SQLValue]) throws -> [SQLRow]

    /// Runs a statement that changes rows, and tells how many it changed.
    /// - Throws: ``MetadataError``; then the statement has changed nothing.
    @discardableResult
    func execute(_ sql: String, _ bindings: [SQLValue]) throws -> Int

    /// Runs a statement once for each of `rows`, in order, and tells how many rows were changed in all.
    /// - Throws: ``MetadataError`` of the first that fails; those before it have taken effect in the transaction.
    @discardableResult
    func executeMany(_ sql: String, _ rows: [[SQLValue]]) throws -> Int
}

extension MetadataConnection {
    /// Runs a statement that answers with at most one row, or whose first row is all that matters.
    /// - Throws: ``MetadataError``.
    public func first(_ sql: String, _ bindings: [SQLValue]) throws -> SQLRow? {
        try query(sql, bindings).first
    }
}
