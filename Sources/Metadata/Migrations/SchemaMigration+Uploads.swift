extension SchemaMigration {
    /// Version 4: what is on its way.
    static let uploads = SchemaMigration(
        version: 4, name: "uploads",
        statements: [
            """
            CREATE TABLE upload (
                id {bytes} NOT NULL PRIMARY KEY,
                account {bytes} NOT NULL,
                namespace {bytes} NOT NULL,
                device {bytes} NOT NULL,
                state {integer} NOT NULL,
                created {integer} NOT NULL,
                expires {integer} NOT NULL,
                changes {bytes}
            ){table}
            """,
            "CREATE INDEX upload_pending ON upload (namespace, created, id) WHERE state = 0",
            "CREATE INDEX upload_expires ON upload (expires, id) WHERE state = 0",
            "CREATE INDEX upload_ended ON upload (expires, id) WHERE state <> 0",
            """
            CREATE TABLE upload_item (
                upload {bytes} NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
                node {bytes} NOT NULL,
                parent {bytes} NOT NULL,
                name {bytes} NOT NULL,
                size {integer} NOT NULL,
                PRIMARY KEY (upload, node)
            ){clustered}
            """,
            """
            CREATE TABLE missing_block (
                account {bytes} NOT NULL,
                block {bytes} NOT NULL,
                upload {bytes} NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
                PRIMARY KEY (account, block, upload)
            ){clustered}
            """,
            "CREATE INDEX missing_upload ON missing_block (upload, block)",
        ])
}
