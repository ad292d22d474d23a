extension SchemaMigration {
    /// Version 11: which process does which job.
    ///
    /// `holder` is the process that does the job; nobody does when it is null. `term` goes up with each new holder, `beat` with
    /// each sign of life of the present one. There is no time of day in it: who waits for the job measures by its own clock
    /// for how long nothing has changed.
    static let leases = SchemaMigration(
        version: 11, name: "leases",
        statements: [
            """
            CREATE TABLE lease (
                name TEXT NOT NULL PRIMARY KEY,
                holder {bytes},
                term {integer} NOT NULL,
                beat {integer} NOT NULL
            ){table}
            """
        ])
}
