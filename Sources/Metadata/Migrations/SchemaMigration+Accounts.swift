extension SchemaMigration {
    /// Version 1: who there is, and which trees they own.
    static let accounts = SchemaMigration(
        version: 1, name: "accounts, devices, namespaces",
        statements: [
            """
            CREATE TABLE account (
                id {bytes} NOT NULL PRIMARY KEY,
                name TEXT NOT NULL UNIQUE,
                password TEXT NOT NULL,
                master_key {integer} NOT NULL,
                wrapped_key {bytes} NOT NULL,
                home {bytes} NOT NULL,
                created {integer} NOT NULL
            ){table}
            """,
            """
            CREATE TABLE device (
                id {bytes} NOT NULL PRIMARY KEY,
                account {bytes} NOT NULL REFERENCES account (id),
                name TEXT NOT NULL,
                token_hash {bytes} NOT NULL UNIQUE,
                created {integer} NOT NULL,
                revoked {integer},
                last_seen {integer}
            ){table}
            """,
            "CREATE INDEX device_account ON device (account)",
            """
            CREATE TABLE namespace (
                id {bytes} NOT NULL PRIMARY KEY,
                owner {bytes} NOT NULL REFERENCES account (id),
                revision {integer} NOT NULL CHECK (revision >= 0),
                hash {bytes} NOT NULL,
                created {integer} NOT NULL
            ){clustered}
            """,
            "CREATE INDEX namespace_owner ON namespace (owner)",
        ])
}
