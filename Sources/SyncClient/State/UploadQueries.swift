import GRDB
import Model

/// An upload whose answer has not come: after a restart it is sent again, under the same key and byte for byte.
struct InFlightUpload: Hashable, Sendable {
    let id: UploadID
    let link: LinkID
    let created: Timestamp
    /// The encoded request.
    let request: [UInt8]
}

/// The uploads under way. A row is written before the request is sent, and goes with the rows that its answer brings.
struct UploadQueries {
    let connection: Database

    init(_ connection: Database) {
        self.connection = connection
    }

    func put(_ upload: InFlightUpload) throws {
        let query = try PreparedQuery(
            "INSERT OR REPLACE INTO upload (id, link, created, request) VALUES (?, ?, ?, ?)", on: connection)
        query.bind(1, upload.id)
        query.bind(2, upload.link)
        query.bind(3, upload.created.nanoseconds)
        query.bind(4, upload.request)
        try query.run()
    }

    func remove(_ id: UploadID) throws {
        let query = try PreparedQuery("DELETE FROM upload WHERE id = ?", on: connection)
        query.bind(1, id)
        try query.run()
    }

    /// The uploads of a link, oldest first.
    func all(of link: LinkID) throws -> [InFlightUpload] {
        let query = try PreparedQuery(
            "SELECT id, created, request FROM upload WHERE link = ? ORDER BY created, id", on: connection)
        query.bind(1, link)
        return try query.all { row in
            InFlightUpload(
                id: try row.identifier(0), link: link, created: Timestamp(nanoseconds: row.integer(1)),
                request: row.bytes(2))
        }
    }
}
