public import Model
import Storage
import Synchronization
import TestSupport

/// What a ``MemoryPackRegion`` keeps its packs on: outlives the region, loses power, runs full, rots.
public final class MemoryDisk: Sendable {
    struct File: Sendable {
        var bytes: [UInt8] = []
        var isSealed = false
    }

    struct Contents: Sendable {
        var packs: [PackID: File] = [:]
        var notes: [String: [UInt8]] = [:]
        var generator: SeededGenerator
        /// How many operations are left before the power goes; nil when it stays.
        var operationsLeft: Int?
        var hasPower = true
        var capacity: Int?
        var syncs = 0
        var calls = 0
    }

    let contents: Mutex<Contents>

    /// Makes an empty disk whose accidents follow a seed.
    public init(seed: UInt64 = 0) {
        contents = Mutex(Contents(generator: SeededGenerator(seed: seed)))
    }

    /// Makes a disk that holds what another one holds now.
    public init(copying other: MemoryDisk) {
        contents = Mutex(other.contents.withLock { $0 })
    }

    /// Cuts the power within a coming operation: that one is torn at random, and nothing works until ``restart()``.
    public func cutPower(afterOperations count: Int) {
        contents.withLock { $0.operationsLeft = count }
    }

    /// Gives the power back.
    public func restart() {
        contents.withLock { contents in
            contents.operationsLeft = nil
            contents.hasPower = true
        }
    }

    /// Limits how many bytes fit on the disk; nil for no limit.
    public func limit(to bytes: Int?) {
        contents.withLock { $0.capacity = bytes }
    }

    /// Turns over one bit of a pack.
    public func flipBit(of pack: PackID, at offset: UInt64, bit: UInt8 = 0) {
        contents.withLock { $0.packs[pack]?.bytes[Int(offset)] ^= 1 << (bit & 7) }
    }

    /// Cuts a pack behind everyone's back.
    public func cut(_ pack: PackID, to size: Int) {
        contents.withLock { contents in
            guard let count = contents.packs[pack]?.bytes.count, count > size else { return }
            contents.packs[pack]?.bytes.removeLast(count - size)
        }
    }

    /// Loses a pack.
    public func lose(_ pack: PackID) {
        contents.withLock { _ = $0.packs.removeValue(forKey: pack) }
    }

    /// Appends bytes to a pack that no store has written, and takes its seal away: what a torn write leaves.
    public func tear(_ pack: PackID, appending bytes: [UInt8]) {
        contents.withLock { contents in
            contents.packs[pack]?.bytes += bytes
            contents.packs[pack]?.isSealed = false
        }
    }

    /// The bytes of all packs.
    public var packs: [PackID: [UInt8]] { contents.withLock { $0.packs.mapValues(\.bytes) } }

    /// How many durable writes there were.
    public var syncs: Int { contents.withLock { $0.syncs } }

    /// How many calls there were, reads included.
    public var calls: Int { contents.withLock { $0.calls } }
}

extension MemoryDisk.Contents {
    /// Whether an operation happens; with the cut of the power it does so by chance.
    mutating func admitOperation() throws -> (happens: Bool, isCut: Bool) {
        try admitRead()
        guard let left = operationsLeft else { return (true, false) }
        operationsLeft = left - 1
        guard left <= 0 else { return (true, false) }
        hasPower = false
        return (Bool.random(using: &generator), true)
    }

    mutating func admitRead() throws {
        calls += 1
        if !hasPower { throw StorageError(.unavailable, "the power is off") }
    }

    /// Writes; of a torn write each sector of 512 bytes is there or is not.
    mutating func write(_ bytes: [UInt8], to pack: PackID, at offset: Int, torn: Bool) {
        var file = packs[pack]?.bytes ?? []
        let end = torn ? offset + Int.random(in: 0...bytes.count, using: &generator) : offset + bytes.count
        if file.count < end { file += [UInt8](repeating: 0, count: end - file.count) }
        var place = offset
        while place < min(file.count, offset + bytes.count) {
            let sectorEnd = min((place / 512 + 1) * 512, offset + bytes.count, file.count)
            if !torn || Bool.random(using: &generator) {
                file.replaceSubrange(place..<sectorEnd, with: bytes[place - offset..<sectorEnd - offset])
            }
            place = sectorEnd
        }
        packs[pack]?.bytes = file
    }

    var used: Int { packs.values.reduce(0) { $0 + $1.bytes.count } }
}
