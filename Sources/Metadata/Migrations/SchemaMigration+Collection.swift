extension SchemaMigration {
    /// Version 8: what is about to be removed.
    ///
    /// `condemned` has what no recipe named when it was looked for; whoever names it again takes it out in the same
    /// transaction. `kind` is 0 for a page and 1 for a block. `doomed_pack` has the packs that nothing refers to any more;
    /// `state` is 0 while a pack waits and 1 while it is being removed: from then on no row may refer to it.
    static let collection = SchemaMigration(
        version: 8, name: "collection",
        statements: [
            """
            CREATE TABLE condemned (
                account {bytes} NOT NULL,
                kind {integer} NOT NULL,
                id {bytes} NOT NULL,
                since {integer} NOT NULL,
                PRIMARY KEY (account, kind, id)
            ){clustered}
            """,
            """
            CREATE TABLE doomed_pack (
                pack {bytes} NOT NULL PRIMARY KEY,
                since {integer} NOT NULL,
                state {integer} NOT NULL
            ){clustered}
            """,
            // How far work that goes on for long has come, by the name of the work.
            """
            CREATE TABLE maintenance (
                name TEXT NOT NULL PRIMARY KEY,
                value {bytes} NOT NULL,
                updated {integer} NOT NULL
            ){table}
            """,
        ])
}
