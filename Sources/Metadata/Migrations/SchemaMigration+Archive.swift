extension SchemaMigration {
    /// Version 10: what lies in the archive, and what was asked back.
    ///
    /// A block whose `tier` is 1 lies in the archive: `pack`, `place` and `length` are those of the archive then. `read_day`
    /// is the day (since 1970) on which it was last read, as far as that was noted; until the end of `kept_day` it stays hot
    /// whatever the policy says. A row of `thaw` is a device that waits for a content; `state` is 0 while it waits, 1 when
    /// all blocks are hot, and 2 when some could not be read.
    static let archive = SchemaMigration(
        version: 10, name: "archive",
        statements: [
            "ALTER TABLE block ADD COLUMN tier {integer} NOT NULL DEFAULT 0",
            "ALTER TABLE block ADD COLUMN read_day {integer}",
            "ALTER TABLE block ADD COLUMN kept_day {integer}",
            "CREATE INDEX block_archived ON block (account, pack, length) WHERE tier = 1",
            """
            CREATE TABLE thaw (
                account {bytes} NOT NULL,
                level {integer} NOT NULL,
                digest {bytes} NOT NULL,
                device {bytes} NOT NULL,
                state {integer} NOT NULL,
                requested {integer} NOT NULL,
                ready {integer},
                expires {integer},
                PRIMARY KEY (account, level, digest, device)
            ){clustered}
            """,
            // `ready` is an estimate while the row waits.
            "CREATE INDEX thaw_waiting ON thaw (ready, requested) WHERE state = 0",
            "CREATE INDEX thaw_ended ON thaw (expires) WHERE state <> 0",
        ])
}
