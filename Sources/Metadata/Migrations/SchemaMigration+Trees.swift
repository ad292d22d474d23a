extension SchemaMigration {
    /// Version 2: the trees with all their history, and the journal of their commits.
    ///
    /// A row of `node` is valid from the revision `valid_from` up to, but not with, `valid_to`; the head is the rows
    /// without an end. Neither table refers to `namespace` by a foreign key: a commit holds the lock on the row of its
    /// namespace, so the check would only cost time.
    static let trees = SchemaMigration(
        version: 2, name: "nodes and the journal",
        statements: [
            """
            CREATE TABLE node (
                namespace {bytes} NOT NULL,
                node {bytes} NOT NULL,
                valid_from {integer} NOT NULL,
                valid_to {integer},
                parent {bytes} NOT NULL,
                name {bytes} NOT NULL,
                kind {integer} NOT NULL,
                level {integer},
                digest {bytes},
                size {integer},
                target {bytes},
                mode {integer} NOT NULL,
                modified {integer} NOT NULL,
                PRIMARY KEY (namespace, node, valid_from),
                CHECK (valid_to > valid_from)
            ){clustered}
            """,
            // The entries of a folder at the head. That a name is unique there is checked by each commit; the index
            // makes a mistake in that check harmless.
            "CREATE UNIQUE INDEX node_name ON node (namespace, parent, name) WHERE valid_to IS NULL",
            // The entries of a folder at a past revision.
            "CREATE INDEX node_past ON node (namespace, parent, name, valid_to) WHERE valid_to IS NOT NULL",
            // What came and what went, in the order of the changes.
            "CREATE INDEX node_from ON node (namespace, valid_from, node)",
            "CREATE INDEX node_to ON node (namespace, valid_to, node) WHERE valid_to IS NOT NULL",
            """
            CREATE TABLE journal (
                namespace {bytes} NOT NULL,
                revision {integer} NOT NULL,
                hash {bytes} NOT NULL,
                device {bytes} NOT NULL,
                upload {bytes} NOT NULL,
                time {integer} NOT NULL,
                changes {integer} NOT NULL,
                digest {bytes} NOT NULL,
                PRIMARY KEY (namespace, revision)
            ){clustered}
            """,
            "CREATE UNIQUE INDEX journal_upload ON journal (namespace, upload)",
            """
            CREATE TABLE refusal (
                namespace {bytes} NOT NULL,
                upload {bytes} NOT NULL,
                time {integer} NOT NULL,
                refusals {bytes} NOT NULL,
                PRIMARY KEY (namespace, upload)
            ){table}
            """,
            "CREATE INDEX refusal_time ON refusal (time)",
        ])
}
