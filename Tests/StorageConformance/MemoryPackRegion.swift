public import Model
public import Storage
import Synchronization

/// Keeps packs on a ``MemoryDisk``: what returns is durable, what is cut off by the power is torn.
public struct MemoryPackRegion: PackRegion {
    /// The name of the region.
    public let name: String
    /// Where the bytes are.
    public let disk: MemoryDisk

    /// Makes a region on a disk, by default on one of its own.
    public init(name: String = "memory", disk: MemoryDisk = MemoryDisk()) {
        self.name = name
        self.disk = disk
    }

    /// Succeeds when there is power.
    public func open() async throws { try disk.contents.withLock { try $0.admitRead() } }

    /// All packs.
    public func list() async throws -> [PackSummary] {
        try disk.contents.withLock { contents in
            try contents.admitRead()
            return contents.packs.map {
                PackSummary(pack: $0.key, size: UInt64($0.value.bytes.count), isSealed: $0.value.isSealed)
            }
        }
    }

    /// One pack.
    public func find(_ pack: PackID) async throws -> PackSummary? {
        try disk.contents.withLock { contents in
            try contents.admitRead()
            return contents.packs[pack].map {
                PackSummary(pack: pack, size: UInt64($0.bytes.count), isSealed: $0.isSealed)
            }
        }
    }

    /// Makes a pack.
    public func create(_ pack: PackID) async throws {
        try change { contents in
            if contents.packs[pack] != nil { throw StorageError(.io, "pack \(pack) exists in \(name)") }
            contents.packs[pack] = MemoryDisk.File()
        }
    }

    /// Writes; when there is not room for all, a part is written.
    public func write(_ bytes: [UInt8], to pack: PackID, at offset: UInt64) async throws {
        try disk.contents.withLock { contents in
            let isCut = try contents.admitOperation().isCut
            guard let file = contents.packs[pack] else { throw StorageError(.notFound, "\(name) has no pack \(pack)") }
            let growth = max(0, Int(offset) + bytes.count - file.bytes.count)
            if let capacity = contents.capacity, contents.used + growth > capacity {
                let room = max(0, capacity - contents.used)
                contents.write(Array(bytes.prefix(room)), to: pack, at: Int(offset), torn: false)
                throw StorageError(.full, "no room left in \(name)")
            }
            contents.write(bytes, to: pack, at: Int(offset), torn: isCut)
            if isCut { throw StorageError(.unavailable, "the power went") }
            contents.syncs += 1
        }
    }

    /// Reads ranges.
    public func read(_ pack: PackID, _ ranges: [Range<UInt64>]) async throws -> [[UInt8]] {
        try disk.contents.withLock { contents in
            try contents.admitRead()
            guard let file = contents.packs[pack] else { throw StorageError(.notFound, "\(name) has no pack \(pack)") }
            return ranges.map { range in
                let whole = 0..<UInt64(file.bytes.count)
                let there = range.clamped(to: whole)
                return Array(file.bytes[Int(there.lowerBound)..<Int(there.upperBound)])
            }
        }
    }

    /// Cuts a pack.
    public func truncate(_ pack: PackID, to size: UInt64) async throws {
        try change { try cut(pack, to: size, &$0) }
    }

    /// Cuts and seals a pack.
    public func seal(_ pack: PackID, at size: UInt64) async throws {
        try change { contents in
            try cut(pack, to: size, &contents)
            if contents.packs[pack].map({ UInt64($0.bytes.count) < size }) ?? true {
                throw StorageError(.corrupt, "pack \(pack) is shorter than \(size) bytes in \(name)")
            }
            contents.packs[pack]?.isSealed = true
        }
    }

    /// Removes a pack.
    public func delete(_ pack: PackID) async throws {
        try change { $0.packs[pack] = nil }
    }

    /// Reads a note.
    public func loadNote(_ name: String) async throws -> [UInt8]? {
        try disk.contents.withLock { contents in
            try contents.admitRead()
            return contents.notes[name]
        }
    }

    /// Writes a note.
    public func storeNote(_ bytes: [UInt8], _ name: String) async throws {
        try change { $0.notes[name] = bytes }
    }

    /// Fails without power, and when the disk is full.
    public func check() async throws {
        try disk.contents.withLock { contents in
            try contents.admitRead()
            if let capacity = contents.capacity, contents.used >= capacity {
                throw StorageError(.full, "no room left in \(name)")
            }
        }
    }

    /// Does nothing: the disk stays.
    public func close() async throws {}

    private func cut(_ pack: PackID, to size: UInt64, _ contents: inout MemoryDisk.Contents) throws {
        guard let file = contents.packs[pack] else { throw StorageError(.notFound, "\(name) has no pack \(pack)") }
        if file.bytes.count > Int(size) { contents.packs[pack]?.bytes = Array(file.bytes.prefix(Int(size))) }
    }

    private func change(_ body: (inout MemoryDisk.Contents) throws -> Void) throws {
        try disk.contents.withLock { contents in
            let (happens, isCut) = try contents.admitOperation()
            if happens { try body(&contents) }
            if isCut { throw StorageError(.unavailable, "the power went") }
        }
    }
}
