extension SchemaMigration {
    /// Version 9: the entries of a folder by time, for listings at old revisions of folders that grew since.
    static let pastListings = SchemaMigration(
        version: 9, name: "past listings",
        statements: ["CREATE INDEX node_span ON node (namespace, parent, valid_from, valid_to)"])
}
