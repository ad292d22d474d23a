extension SchemaMigration {
    /// Version 3: the pages of recipes, and where blocks lie.
    static let contents = SchemaMigration(
        version: 3, name: "pages and blocks",
        statements: [
            """
            CREATE TABLE page (
                account {bytes} NOT NULL,
                id {bytes} NOT NULL,
                bytes {bytes} NOT NULL,
                PRIMARY KEY (account, id)
            ){table}
            """,
            """
            CREATE TABLE block (
                account {bytes} NOT NULL,
                id {bytes} NOT NULL,
                plain_length {integer} NOT NULL,
                pack {bytes} NOT NULL,
                place {integer} NOT NULL,
                length {integer} NOT NULL,
                PRIMARY KEY (account, id)
            ){clustered}
            """,
            "CREATE INDEX block_pack ON block (pack, place)",
        ])
}
