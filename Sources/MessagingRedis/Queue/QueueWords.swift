import Messaging
import Model

/// The words in which entries, devices and moments are given to the script, and come back.
enum QueueWords {
    private static let offset: UInt64 = 1 << 63

    /// A signed number as 20 digits that order as the numbers do.
    static func digits(_ number: Int64) -> [UInt8] {
        let text = String(UInt64(bitPattern: number) ^ offset)
        return Array(repeating: UInt8(ascii: "0"), count: 20 - text.utf8.count) + Array(text.utf8)
    }

    static func number(_ digits: RedisReply) throws(RedisError) -> Int64 {
        guard let number = UInt64(try digits.text()) else { throw RedisReply.unexpected }
        return Int64(bitPattern: number ^ offset)
    }

    static func device(_ device: DeviceID) -> [UInt8] { Array(device.hex.utf8) }

    static func device(_ reply: RedisReply) throws(RedisError) -> DeviceID {
        guard let device = DeviceID(hex: try reply.text()) else { throw RedisReply.unexpected }
        return device
    }

    static func words(_ entries: [QueueEntry]) -> [[UInt8]] {
        entries.flatMap { [$0.key.subject + Array($0.key.kind.utf8), digits($0.version)] }
    }

    static func entries(_ reply: RedisReply) throws(RedisError) -> [QueueEntry] {
        let words = try reply.array()
        var entries: [QueueEntry] = []
        for place in stride(from: 0, to: words.count - 1, by: 2) {
            let field = try words[place].bytes()
            let key = QueueEntry.Key(
                kind: String(decoding: field.dropFirst(16), as: UTF8.self), subject: Array(field.prefix(16)))
            guard let entry = QueueEntry(key: key, version: try number(words[place + 1])) else {
                throw RedisError(.malformed, "an entry of the queue of kind '\(key.kind)' can't be one")
            }
            entries.append(entry)
        }
        return entries
    }

    /// What is known of a device, as a page tells it.
    static func queued(_ reply: RedisReply) throws(RedisError) -> QueuedDevice {
        let parts = try reply.array()
        guard parts.count == 2 || parts.count == 4 else { throw RedisReply.unexpected }
        let id = try device(parts[0])
        if parts.count == 2 { return QueuedDevice(device: id, removed: Timestamp(nanoseconds: try number(parts[1]))) }
        let acknowledged = try entries(parts[3]).sorted {
            ($0.key.kind, $0.key.subject.hex) < ($1.key.kind, $1.key.subject.hex)
        }
        return QueuedDevice(
            device: id, waiting: try entries(parts[2]), acknowledged: acknowledged,
            isMarked: try parts[1].integer() == 1)
    }

    /// The additions by device, in the order in which devices and entries first appear.
    static func groups(_ additions: some Sequence<QueueAddition>) -> [[UInt8]] {
        var places: [DeviceID: Int] = [:]
        var groups: [(device: DeviceID, entries: [QueueEntry])] = []
        for addition in additions {
            if let place = places[addition.device] {
                groups[place].entries.append(addition.entry)
            } else {
                places[addition.device] = groups.count
                groups.append((addition.device, [addition.entry]))
            }
        }
        return groups.flatMap { [device($0.device), Array("\($0.entries.count)".utf8)] + words($0.entries) }
    }
}
