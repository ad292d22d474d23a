extension SchemaMigration {
    /// Version 9 is the archive tier's; it has no table of its own yet.
    static let reserved = SchemaMigration(version: 9, name: "archive", statements: [])

    /// Version 10: the entries of a folder by time, for listings at old revisions of folders that grew since.
    static let pastListings = SchemaMigration(
        version: 10, name: "past listings",
        statements: ["CREATE INDEX node_span ON node (namespace, parent, valid_from, valid_to)"])
}
