public import Metadata

/// The schema of the database of an offline queue. It is a database of its own, on storage of its own.
public enum QueueSchema {
    /// How it came to be.
    public static let history = SchemaHistory([devicesAndEntries])

    /// Version 1. `epoch` counts how often everything was forgotten: a device of an earlier one, or without a row, is
    /// marked. `number` is null once the entry was acknowledged; what stays is the version, so that it is not told again.
    private static let devicesAndEntries = SchemaMigration(
        version: 1, name: "devices and entries",
        statements: [
            """
            CREATE TABLE queue_state (
                id {integer} NOT NULL PRIMARY KEY CHECK (id = 1),
                identity {bytes} NOT NULL,
                epoch {integer} NOT NULL,
                peer_behind {integer} NOT NULL
            ){table}
            """,
            """
            CREATE TABLE queue_device (
                device {bytes} NOT NULL PRIMARY KEY,
                last {integer} NOT NULL,
                epoch {integer} NOT NULL,
                marked {integer},
                removed {integer}
            ){clustered}
            """,
            "CREATE INDEX queue_device_removed ON queue_device (removed) WHERE removed IS NOT NULL",
            """
            CREATE TABLE queue_entry (
                device {bytes} NOT NULL,
                kind TEXT NOT NULL,
                subject {bytes} NOT NULL,
                version {integer} NOT NULL,
                number {integer},
                since {integer} NOT NULL,
                PRIMARY KEY (device, kind, subject)
            ){clustered}
            """,
            "CREATE INDEX queue_entry_number ON queue_entry (device, number) WHERE number IS NOT NULL",
            "CREATE INDEX queue_entry_since ON queue_entry (since) WHERE number IS NOT NULL",
        ])
}
