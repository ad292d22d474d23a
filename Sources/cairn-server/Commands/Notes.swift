import HTTPAPI
import Model

/// What commands tell people.
enum Notes {
    /// Tells of a new keyring, on standard error, so that the output stays what scripts read.
    static func keyRingMade(_ path: String) {
        let note = """
            A new keyring was made: \(path)
            Keep a copy of it apart from the data. Without it nobody can read the files that this server stores.
            """
        Output.note(note)
    }

    /// A moment as people read it, in UTC.
    static func date(_ time: Timestamp) -> String {
        Dates.iso8601(time)
    }
}
