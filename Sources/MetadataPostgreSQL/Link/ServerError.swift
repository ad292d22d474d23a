import CPQ
import Metadata

/// What the server said instead of an answer.
struct ServerError: Hashable, Sendable {
    /// The five characters that name the error (appendix A of PostgreSQL's manual).
    let state: String
    /// For people. Its details, which quote the rows, are left out.
    let message: String
    /// Whether the server ended the connection with it.
    let isFatal: Bool

    init(state: String, message: String, isFatal: Bool = false) {
        self.state = state
        self.message = message
        self.isFatal = isFatal
    }

    init(_ result: OpaquePointer) {
        func field(_ code: Character) -> String? {
            PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
        }
        state = field("C") ?? ""
        message = field("M") ?? PQresultErrorMessage(result).map { String(cString: $0).trimmed } ?? "no message"
        isFatal = ["FATAL", "PANIC"].contains(field("V"))
    }

    /// Whether others' transactions got in the way: the same one may succeed when it is done again.
    var isConflict: Bool { state == "40001" || state == "40P01" }

    /// Whether a lock was not to be had in time.
    var isLockTimeout: Bool { state == "55P03" }

    /// Whether the server takes no writes, or not from this transaction.
    var isReadOnly: Bool { state == "25006" }

    /// Whether the server does not know what this connection has prepared, or would answer otherwise now.
    var isStaleStatement: Bool {
        state == "26000" || (state == "0A000" && message.contains("cached plan"))
    }

    /// Whether a transaction of this kind can't begin here: a standby does not know the serializable level.
    var refusesTransaction: Bool { isReadOnly || state == "0A000" || state == "57P03" }

    /// The error in the words of the port.
    func translated(_ database: String) -> MetadataError {
        let cause = "PostgreSQL: \(message) (\(state))"
        switch state {
        case "23505":
            return MetadataError(.alreadyExists, "a row with that key is in \(database) already", cause: cause)
        case "40001", "40P01", "55P03", "55006":
            return MetadataError(.busy, "others hold what is needed in \(database)", cause: cause)
        case "57014":
            return MetadataError(.busy, "the database \(database) took too long", cause: cause)
        case "53100":
            return MetadataError(.full, "there is no room left for the database \(database)", cause: cause)
        case "08P01":
            return MetadataError(.constraint, "a statement for \(database) lacks values", cause: cause)
        case "XX001", "XX002":
            return MetadataError(.corrupt, "the database \(database) is damaged", cause: cause)
        default: break
        }
        switch state.prefix(2) {
        case "22", "23", "42":
            return MetadataError(.constraint, "the statement or its values do not fit into \(database)", cause: cause)
        case "08", "57":
            return MetadataError(.unavailable, "the database \(database) can't be reached", cause: cause)
        default:
            return MetadataError(.io, "the database \(database) can't be read or written", cause: cause)
        }
    }
}

/// The connection is of no more use.
struct LinkLost: Error, Hashable {
    /// Why, for people.
    let cause: String
}
