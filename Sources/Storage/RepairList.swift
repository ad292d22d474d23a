import Model

/// What regions lack: remembered before an append that they missed is acknowledged, so that it survives a restart.
struct RepairList: Hashable, Sendable {
    /// What has to be done in a region.
    enum Task: UInt8, Hashable, Sendable {
        /// The pack has to be copied from another region.
        case copy = 1
        /// The pack has to be removed.
        case delete = 2
    }

    /// One pack of one region.
    struct Entry: Hashable, Sendable {
        let region: String
        let pack: PackID
        let task: Task
    }

    /// The name under which a region keeps the list.
    static let noteName = "repairs"
    private static let magic = Array("CRPR1".utf8)

    private(set) var entries: Set<Entry> = []

    /// Adds an entry; a removal takes the place of a copy. Returns whether the list has changed.
    mutating func insert(_ entry: Entry) -> Bool {
        let removal = Entry(region: entry.region, pack: entry.pack, task: .delete)
        if entries.contains(removal) { return false }
        if entry.task == .delete { entries.remove(Entry(region: entry.region, pack: entry.pack, task: .copy)) }
        return entries.insert(entry).inserted
    }

    /// Takes an entry off. Returns whether it was there.
    mutating func remove(_ entry: Entry) -> Bool { entries.remove(entry) != nil }

    /// The regions that are known to lack a pack.
    func regions(lacking pack: PackID) -> Set<String> {
        Set(entries.lazy.filter { $0.pack == pack }.map(\.region))
    }

    /// Joins what two regions remember: an entry too many costs one copy, one too few could cost a block.
    mutating func formUnion(_ other: RepairList) {
        for entry in other.entries { _ = insert(entry) }
    }
}

extension RepairList {
    /// The list as bytes: magic, number of entries, entries in order, XXH3-64 of all before.
    var encoded: [UInt8] {
        var bytes = Self.magic
        bytes.append(littleEndian: UInt32(entries.count))
        for entry in entries.sorted(by: { ($0.pack, $0.region) < ($1.pack, $1.region) }) {
            bytes += entry.pack.bytes
            bytes.append(entry.task.rawValue)
            bytes.append(littleEndian: UInt16(entry.region.utf8.count))
            bytes += Array(entry.region.utf8)
        }
        bytes.append(littleEndian: Checksum.of(bytes))
        return bytes
    }

    /// Reads a list; nil when the bytes are damaged.
    init?(decoding bytes: [UInt8]) {
        self.init()
        let body = bytes.dropLast(8)
        guard bytes.count >= Self.magic.count + 12, body.starts(with: Self.magic),
            bytes.suffix(8).elementsEqual(Self.checksumBytes(Array(body)))
        else { return nil }
        var rest = body.dropFirst(Self.magic.count)
        guard let count = Self.number(&rest, width: 4) else { return nil }
        for _ in 0..<count {
            guard let entry = Self.entry(&rest) else { return nil }
            entries.insert(entry)
        }
        guard rest.isEmpty else { return nil }
    }

    private static func entry(_ rest: inout ArraySlice<UInt8>) -> Entry? {
        guard let pack = PackID(bytes: rest.prefix(16)) else { return nil }
        rest = rest.dropFirst(16)
        guard let task = number(&rest, width: 1).flatMap({ Task(rawValue: UInt8($0)) }),
            let length = number(&rest, width: 2), rest.count >= length
        else { return nil }
        defer { rest = rest.dropFirst(length) }
        return Entry(region: String(decoding: rest.prefix(length), as: UTF8.self), pack: pack, task: task)
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, width: Int) -> Int? {
        guard rest.count >= width else { return nil }
        defer { rest = rest.dropFirst(width) }
        return rest.prefix(width).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private static func checksumBytes(_ body: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: Checksum.of(body))
        return bytes
    }
}
