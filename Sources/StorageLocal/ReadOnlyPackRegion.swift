import Glibc
public import Model
public import Storage

/// The packs of a directory for who only reads them: it makes nothing, locks nothing, and may lie on a medium that can't
/// be written, such as a backup.
///
/// Packs only grow until they are sealed, so it may also be read while a server writes there: what was acknowledged
/// is found.
public final class ReadOnlyPackRegion: PackRegion {
    private let folder: PackFolder
    private let reading: FileQueue
    private let cache = DescriptorCache(capacity: 32)
    private let calls = LinuxFileCalls()

    /// Names a directory, which holds the packs as a region does.
    public init(directory: String, readers: Int = 2) {
        precondition(readers > 0, "a region needs a thread to read")
        folder = PackFolder(directory: directory)
        reading = FileQueue(label: "cairn.storage.only", threads: readers)
    }

    /// The path of the directory.
    public var name: String { folder.directory }

    /// Looks whether the directory is there.
    /// - Throws: ``StorageError`` `unavailable` when it is not.
    public func open() async throws {
        let isThere = try await reading.run { try self.size(self.folder.directory) != nil }
        if !isThere { throw StorageError(.unavailable, "there is no directory \(folder.directory)") }
    }

    /// All packs of the directory.
    public func list() async throws -> [PackSummary] {
        try await reading.run {
            guard try self.size(self.folder.packs) != nil else { return [] }
            return try self.explaining(self.folder.packs) { () throws(SystemCallFailure) in try self.folder.list() }
        }
    }

    /// What is known of one pack.
    public func find(_ pack: PackID) async throws -> PackSummary? {
        try await reading.run {
            try self.explaining(self.folder.sealed(pack)) { () throws(SystemCallFailure) in
                try self.folder.find(pack)
            }
        }
    }

    /// Reads ranges of a pack.
    public func read(_ pack: PackID, _ ranges: [Range<UInt64>]) async throws -> [[UInt8]] {
        try await reading.run {
            let file = try self.cache.file(of: pack) { try self.openFile(pack) }
            return try ranges.map { range in
                try self.explaining(self.folder.sealed(pack)) { () throws(SystemCallFailure) in try file.read(range) }
            }
        }
    }

    private func openFile(_ pack: PackID) throws(StorageError) -> OpenFile {
        // Twice: the pack may be sealed, and so renamed, between the two looks.
        for path in [folder.sealed(pack), folder.unsealed(pack), folder.sealed(pack)] {
            do throws(SystemCallFailure) {
                return try OpenFile(path, O_RDONLY, calls)
            } catch {
                if error.errno != ENOENT { throw StorageError(error, on: path, in: folder.directory) }
            }
        }
        throw StorageError(.notFound, "\(folder.directory) has no pack \(pack)")
    }

    private func size(_ path: String) throws(StorageError) -> UInt64? {
        try explaining(path) { () throws(SystemCallFailure) in try folder.size(path) }
    }

    private func explaining<Answer>(
        _ path: String, _ body: () throws(SystemCallFailure) -> Answer
    ) throws(StorageError) -> Answer {
        do throws(SystemCallFailure) { return try body() } catch {
            throw StorageError(error, on: path, in: folder.directory)
        }
    }
}

/// What changes something fails.
extension ReadOnlyPackRegion {
    private var refusal: StorageError { StorageError(.readOnly, "\(folder.directory) was opened for reading only") }

    /// Fails with `readOnly`.
    public func create(_ pack: PackID) async throws { throw refusal }

    /// Fails with `readOnly`.
    public func write(_ bytes: [UInt8], to pack: PackID, at offset: UInt64) async throws { throw refusal }

    /// Fails with `readOnly`.
    public func truncate(_ pack: PackID, to size: UInt64) async throws { throw refusal }

    /// Fails with `readOnly`.
    public func seal(_ pack: PackID, at size: UInt64) async throws { throw refusal }

    /// Fails with `readOnly`.
    public func delete(_ pack: PackID) async throws { throw refusal }

    /// Fails with `readOnly`.
    public func storeNote(_ bytes: [UInt8], _ name: String) async throws { throw refusal }

    /// Fails with `readOnly`.
    public func check() async throws { throw refusal }

    /// There is none for who only reads.
    public func loadNote(_ name: String) async throws -> [UInt8]? { nil }

    /// Lets the files go.
    public func close() async throws { cache.dropAll() }
}
