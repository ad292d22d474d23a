import Metadata

/// A transaction, as the body of a call sees it.
struct PostgreSQLMetadataConnection: MetadataConnection {
    private let transaction: ServerTransaction

    init(_ transaction: ServerTransaction) {
        self.transaction = transaction
    }

    var dialect: SQLDialect { .postgres }

    func query(_ sql: String, _ bindings: [SQLValue]) throws -> [SQLRow] {
        try transaction.run(sql, ParameterBatch(bindings)).first?.rows ?? []
    }

    func execute(_ sql: String, _ bindings: [SQLValue]) throws -> Int {
        try transaction.run(sql, ParameterBatch(bindings)).first?.count ?? 0
    }

    func executeMany(_ sql: String, _ rows: [[SQLValue]]) throws -> Int {
        try ParameterBatch.batches(of: rows).reduce(0) { sum, batch in
            try transaction.run(sql, batch).reduce(sum) { $0 + $1.count }
        }
    }
}
