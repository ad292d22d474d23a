extension SchemaMigration {
    /// Version 6: finds the devices that were revoked lately.
    static let revocations = SchemaMigration(
        version: 6, name: "revocations",
        statements: ["CREATE INDEX device_revoked ON device (revoked) WHERE revoked IS NOT NULL"])
}
