extension SchemaMigration {
    /// Version 5: the places that hold the packs.
    static let regions = SchemaMigration(
        version: 5, name: "regions",
        statements: [
            """
            CREATE TABLE region (
                id {bytes} NOT NULL PRIMARY KEY,
                path TEXT NOT NULL,
                added {integer} NOT NULL
            ){table}
            """
        ])
}
