package import Model

/// Which packs were asked for, and when they can be read: a pure value; times come in.
package struct ThawLedger: Hashable, Sendable {
    /// One pack that was asked for.
    package struct Entry: Hashable, Sendable {
        /// From when on it can be read.
        package let ready: Timestamp
        /// When it is frozen again.
        package let until: Timestamp
    }

    package private(set) var entries: [PackID: Entry] = [:]

    /// Makes one in which nothing was asked for.
    package init() {}

    /// How things stand with a pack.
    package func state(of pack: PackID, at now: Timestamp) -> ThawState {
        guard let entry = entries[pack], entry.until > now else { return .frozen }
        return entry.ready > now ? .thawing(ready: entry.ready) : .thawed(until: entry.until)
    }

    /// Notes that a pack is asked for.
    /// - Parameters:
    ///   - pack: the pack.
    ///   - now: the present.
    ///   - delay: how long a thaw takes.
    ///   - period: for how long the pack can then be read.
    package mutating func ask(for pack: PackID, at now: Timestamp, delay: Duration, period: Duration) {
        switch state(of: pack, at: now) {
        case .frozen:
            let ready = now.advanced(by: delay)
            entries[pack] = Entry(ready: ready, until: ready.advanced(by: period))
        case .thawing: break
        case .thawed(let until):
            // Asked for again and again it need not be written down each time.
            guard until < now.advanced(by: period / 2), let entry = entries[pack] else { return }
            entries[pack] = Entry(ready: entry.ready, until: now.advanced(by: period))
        }
    }

    /// Forgets a pack, and all that are frozen again.
    package mutating func forget(_ pack: PackID? = nil, at now: Timestamp) {
        if let pack { entries[pack] = nil }
        entries = entries.filter { $0.value.until > now }
    }
}

extension ThawLedger {
    /// The name under which a region keeps the ledger.
    package static let noteName = "thaws"
    private static let magic = Array("CRTH1".utf8)
    private static let entryLength = 32

    /// The ledger as bytes: magic, number of entries, entries in order (pack, ready, until), XXH3-64 of all before.
    package var encoded: [UInt8] {
        var bytes = Self.magic
        bytes.append(littleEndian: UInt32(entries.count))
        for (pack, entry) in entries.sorted(by: { $0.key < $1.key }) {
            bytes += pack.bytes
            bytes.append(littleEndian: UInt64(bitPattern: entry.ready.nanoseconds))
            bytes.append(littleEndian: UInt64(bitPattern: entry.until.nanoseconds))
        }
        bytes.append(littleEndian: Checksum.of(bytes))
        return bytes
    }

    /// Reads a ledger; nil when the bytes are damaged.
    package init?(decoding bytes: [UInt8]) {
        self.init()
        let start = Self.magic.count + 4
        guard bytes.count >= start + 8, bytes.starts(with: Self.magic),
            Self.number(bytes[(bytes.count - 8)...]) == Checksum.of(Array(bytes.dropLast(8)))
        else { return nil }
        let count = Int(Self.number(bytes[Self.magic.count..<start]))
        guard bytes.count == start + count * Self.entryLength + 8 else { return nil }
        for offset in (0..<count).map({ start + $0 * Self.entryLength }) {
            guard let pack = PackID(bytes: bytes[offset..<offset + 16]) else { return nil }
            entries[pack] = Entry(
                ready: Timestamp(nanoseconds: Int64(bitPattern: Self.number(bytes[(offset + 16)..<(offset + 24)]))),
                until: Timestamp(nanoseconds: Int64(bitPattern: Self.number(bytes[(offset + 24)..<(offset + 32)]))))
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
