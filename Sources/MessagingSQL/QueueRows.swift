import Messaging
import Metadata
import Model

/// A device as the database of the queue keeps it.
struct QueueDeviceRow {
    /// The highest number that was given to an entry or a mark.
    var last: Int64 = 0
    /// The epoch in which it became known.
    var epoch: Int64
    /// The number of its mark.
    var marked: Int64?
    /// When it was removed.
    var removed: Timestamp?

    /// The next number.
    mutating func draw() -> Int64 {
        last += 1
        return last
    }
}

/// Reads and writes the rows of a queue, in one transaction.
struct QueueRows {
    let connection: any MetadataConnection

    init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    // MARK: State

    func state() throws -> (identity: QueueID, epoch: Int64, peerBehind: Int64) {
        guard let row = try connection.first("SELECT identity, epoch, peer_behind FROM queue_state", []),
            let identity = QueueID(bytes: try row.blob(0))
        else { throw MetadataError(.corrupt, "the database of the queue has no state") }
        return (identity, try row.integer(1), try row.integer(2))
    }

    // MARK: Devices

    func device(_ id: DeviceID) throws -> QueueDeviceRow? {
        try connection.first(
            "SELECT last, epoch, marked, removed FROM queue_device WHERE device = $1", [.blob(id.bytes)]
        ).map(Self.device)
    }

    func save(_ row: QueueDeviceRow, of id: DeviceID) throws {
        try connection.execute(
            """
            INSERT INTO queue_device (device, last, epoch, marked, removed) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (device) DO UPDATE SET
                last = excluded.last, epoch = excluded.epoch, marked = excluded.marked, removed = excluded.removed
            """,
            [
                .blob(id.bytes), .integer(row.last), .integer(row.epoch), row.marked.map { .integer($0) } ?? .null,
                row.removed.map { .integer($0.nanoseconds) } ?? .null,
            ])
    }

    /// The devices after one that are known in an epoch, or removed.
    func devices(after id: DeviceID?, epoch: Int64, limit: Int) throws -> [(id: DeviceID, row: QueueDeviceRow)] {
        try connection.query(
            """
            SELECT last, epoch, marked, removed, device FROM queue_device
            WHERE device > $1 AND (epoch = $2 OR removed IS NOT NULL) ORDER BY device LIMIT $3
            """,
            [.blob(id?.bytes ?? []), .integer(epoch), .integer(Int64(limit))]
        ).map { (id: try Self.id($0, 4), row: try Self.device($0)) }
    }

    private static func device(_ row: SQLRow) throws -> QueueDeviceRow {
        QueueDeviceRow(
            last: try row.integer(0), epoch: try row.integer(1), marked: try row.optionalInteger(2),
            removed: try row.optionalInteger(3).map { Timestamp(nanoseconds: $0) })
    }

    static func id(_ row: SQLRow, _ column: Int) throws -> DeviceID {
        guard let id = DeviceID(bytes: try row.blob(column)) else {
            throw MetadataError(.corrupt, "a device of the queue has an id of \(try row.blob(column).count) bytes")
        }
        return id
    }

    // MARK: Entries

    /// What is known of a key: its version, and whether it waits.
    func known(_ key: QueueEntry.Key, of id: DeviceID) throws -> (version: Int64, waits: Bool)? {
        try connection.first(
            "SELECT version, number FROM queue_entry WHERE device = $1 AND kind = $2 AND subject = $3",
            [.blob(id.bytes), .text(key.kind), .blob(key.subject)]
        ).map { (version: try $0.integer(0), waits: !$0.isNull(1)) }
    }

    /// Sets an entry: waiting with a number, or acknowledged without one. An entry that waits already keeps its age.
    func set(_ entry: QueueEntry, number: Int64?, of id: DeviceID, at moment: Timestamp) throws {
        try connection.execute(
            """
            INSERT INTO queue_entry (device, kind, subject, version, number, since) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (device, kind, subject) DO UPDATE SET
                version = excluded.version, number = excluded.number,
                since = CASE WHEN queue_entry.number IS NULL THEN excluded.since ELSE queue_entry.since END
            """,
            [
                .blob(id.bytes), .text(entry.key.kind), .blob(entry.key.subject), .integer(entry.version),
                number.map { .integer($0) } ?? .null, .integer(moment.nanoseconds),
            ])
    }

    /// The entries that wait, by number.
    func waiting(of id: DeviceID, upTo number: Int64 = .max, limit: Int) throws -> [(entry: QueueEntry, number: Int64)]
    {
        try connection.query(
            """
            SELECT kind, subject, version, number FROM queue_entry
            WHERE device = $1 AND number IS NOT NULL AND number <= $2 ORDER BY number LIMIT $3
            """,
            [.blob(id.bytes), .integer(number), .integer(Int64(limit))]
        ).map { (entry: try Self.entry($0), number: try $0.integer(3)) }
    }

    /// The entries that were acknowledged, as far as they are remembered.
    func acknowledged(of id: DeviceID, limit: Int) throws -> [QueueEntry] {
        try connection.query(
            """
            SELECT kind, subject, version FROM queue_entry WHERE device = $1 AND number IS NULL
            ORDER BY kind, subject LIMIT $2
            """,
            [.blob(id.bytes), .integer(Int64(limit))]
        ).map(Self.entry)
    }

    /// Turns what waits up to a number into what was acknowledged.
    func acknowledge(upTo number: Int64, of id: DeviceID) throws {
        try connection.execute(
            "UPDATE queue_entry SET number = NULL WHERE device = $1 AND number IS NOT NULL AND number <= $2",
            [.blob(id.bytes), .integer(number)])
    }

    /// Whether more entries wait than a bound.
    func isWaiting(moreThan bound: Int, of id: DeviceID) throws -> Bool {
        try connection.first(
            """
            SELECT 1 FROM queue_entry WHERE device = $1 AND number IS NOT NULL ORDER BY number LIMIT 1 OFFSET $2
            """,
            [.blob(id.bytes), .integer(Int64(bound))]) != nil
    }

    /// Takes away what waits.
    func dropWaiting(of id: DeviceID) throws {
        try connection.execute(
            "DELETE FROM queue_entry WHERE device = $1 AND number IS NOT NULL", [.blob(id.bytes)])
    }

    /// Forgets what was acknowledged, when that is more than a bound.
    func boundAcknowledged(to bound: Int, of id: DeviceID) throws {
        let isOver = try connection.first(
            "SELECT 1 FROM queue_entry WHERE device = $1 AND number IS NULL LIMIT 1 OFFSET $2",
            [.blob(id.bytes), .integer(Int64(bound))])
        if isOver == nil { return }
        try connection.execute("DELETE FROM queue_entry WHERE device = $1 AND number IS NULL", [.blob(id.bytes)])
    }

    /// Takes away all entries of a device.
    func dropAll(of id: DeviceID) throws {
        try connection.execute("DELETE FROM queue_entry WHERE device = $1", [.blob(id.bytes)])
    }

    private static func entry(_ row: SQLRow) throws -> QueueEntry {
        let key = QueueEntry.Key(kind: try row.text(0), subject: try row.blob(1))
        guard let entry = QueueEntry(key: key, version: try row.integer(2)) else {
            throw MetadataError(.corrupt, "an entry of the queue of kind '\(key.kind)' can't be one")
        }
        return entry
    }
}
