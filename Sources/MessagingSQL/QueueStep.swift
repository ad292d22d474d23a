import Messaging
import Metadata
import Model

/// What is done to the queues of single devices, in one transaction.
struct QueueStep {
    private let rows: QueueRows
    private let epoch: Int64
    private let bounds: QueueBounds
    private let moment: Timestamp

    init(_ connection: any MetadataConnection, bounds: QueueBounds, at moment: Timestamp) throws {
        rows = QueueRows(connection)
        epoch = try rows.state().epoch
        self.bounds = bounds
        self.moment = moment
    }

    /// The additions by device, in the order in which devices and entries first appear.
    static func byDevice(_ additions: [QueueAddition]) -> [(device: DeviceID, entries: [QueueEntry])] {
        var places: [DeviceID: Int] = [:]
        var groups: [(device: DeviceID, entries: [QueueEntry])] = []
        for addition in additions {
            if let place = places[addition.device] {
                groups[place].entries.append(addition.entry)
            } else {
                places[addition.device] = groups.count
                groups.append((device: addition.device, entries: [addition.entry]))
            }
        }
        return groups
    }

    /// Adds entries for a device.
    func add(_ entries: [QueueEntry], to device: DeviceID) throws {
        guard let (row, isNew) = try current(device, isMarked: true) else { return }
        try raise(entries, row, isChanged: isNew, of: device)
    }

    /// Notes what was acknowledged elsewhere.
    func settle(_ entries: [QueueEntry], of device: DeviceID) throws {
        // Of a device that is not known nothing waits.
        guard let row = try rows.device(device), row.epoch == epoch, row.removed == nil else { return }
        try acknowledge(entries, of: device)
    }

    /// Takes over what another queue knows of a device.
    func adopt(_ other: QueuedDevice) throws {
        if let removed = other.removed { return try remove(other.device, at: removed) }
        guard let known = try current(other.device, isMarked: other.isMarked) else { return }
        var row = known.row
        if other.isMarked, !known.isNew { row.marked = row.draw() }
        try acknowledge(other.acknowledged, of: other.device)
        try raise(other.waiting, row, isChanged: true, of: other.device)
    }

    /// Ends the queue of a device.
    func remove(_ device: DeviceID, at removed: Timestamp) throws {
        var row = try rows.device(device) ?? QueueDeviceRow(epoch: epoch)
        if row.removed != nil { return }
        row.removed = removed
        row.marked = nil
        try rows.dropAll(of: device)
        try rows.save(row, of: device)
    }

    /// Marks some of the devices of which an entry has waited since before the moment.
    /// - Returns: How many.
    func expire(atMost limit: Int) throws -> Int {
        let devices = try rows.connection.query(
            """
            SELECT DISTINCT device FROM
                (SELECT device FROM queue_entry WHERE number IS NOT NULL AND since < $1 ORDER BY since LIMIT $2) AS old
            """,
            [.integer(moment.nanoseconds), .integer(Int64(limit))]
        ).map { try QueueRows.id($0, 0) }
        for device in devices {
            try rows.dropWaiting(of: device)
            guard var row = try rows.device(device), row.epoch == epoch else { continue }
            row.marked = row.draw()
            try rows.save(row, of: device)
        }
        return devices.count
    }

    /// The row of a device as of now, and whether it still has to be saved; nil when the device was removed. A device that
    /// was forgotten, or never known, begins anew: with a mark, if `isMarked` says so.
    private func current(_ device: DeviceID, isMarked: Bool) throws -> (row: QueueDeviceRow, isNew: Bool)? {
        var row = try rows.device(device) ?? QueueDeviceRow(epoch: 0)
        if row.removed != nil { return nil }
        if row.epoch == epoch { return (row, false) }
        try rows.dropAll(of: device)
        row.epoch = epoch
        row.marked = isMarked ? row.draw() : nil
        return (row, true)
    }

    /// Lets entries wait that are newer than what is known, and saves the row if anything changed.
    private func raise(_ entries: [QueueEntry], _ row: QueueDeviceRow, isChanged: Bool, of device: DeviceID) throws {
        var row = row
        var isChanged = isChanged
        for entry in entries {
            if let known = try rows.known(entry.key, of: device), known.version >= entry.version { continue }
            try rows.set(entry, number: row.draw(), of: device, at: moment)
            isChanged = true
        }
        if !isChanged { return }
        if try rows.isWaiting(moreThan: bounds.entries, of: device) {
            try rows.dropWaiting(of: device)
            row.marked = row.draw()
        }
        try rows.save(row, of: device)
    }

    private func acknowledge(_ entries: [QueueEntry], of device: DeviceID) throws {
        for entry in entries {
            if let known = try rows.known(entry.key, of: device), known.version > entry.version { continue }
            try rows.set(entry, number: nil, of: device, at: moment)
        }
        try rows.boundAcknowledged(to: bounds.remembered, of: device)
    }
}
