extension SchemaMigration {
    /// Version 7: which versions are kept, and by what rule.
    ///
    /// A row of `node` whose `thinned` is set is a past version whose bytes were given up, and when: that it was there, its
    /// name, size and times are still known.
    static let history = SchemaMigration(
        version: 7, name: "versions",
        statements: [
            "ALTER TABLE node ADD COLUMN thinned {integer}",
            // The most bytes that the account may keep; NULL for no limit.
            "ALTER TABLE account ADD COLUMN quota {integer}",
            "CREATE INDEX journal_time ON journal (namespace, time, revision)",
            """
            CREATE TABLE pin (
                namespace {bytes} NOT NULL,
                node {bytes} NOT NULL,
                revision {integer} NOT NULL,
                name TEXT NOT NULL,
                device {bytes} NOT NULL,
                created {integer} NOT NULL,
                PRIMARY KEY (namespace, node, revision)
            ){clustered}
            """,
            // `folder` is the root for the whole namespace.
            """
            CREATE TABLE retention (
                account {bytes} NOT NULL,
                namespace {bytes} NOT NULL,
                folder {bytes} NOT NULL,
                policy TEXT NOT NULL,
                updated {integer} NOT NULL,
                PRIMARY KEY (account, namespace, folder)
            ){clustered}
            """,
        ])
}
