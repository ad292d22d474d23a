import Blocks
import Foundation
import Metadata
import Model

/// Where the parts of a backup lie: as in a data directory, so that other commands can read it in its place.
struct BackupFolder: Sendable {
    let path: String

    /// Says that the directory is a backup, whole or not.
    var mark: String { path + "/cairn-backup" }
    var database: String { path + "/cairn.db" }
    /// The next database, until all that it names is there.
    var databaseDraft: String { path + "/cairn.db.new" }
    var manifest: String { path + "/manifest.json" }
    /// The next manifest, until the database that it speaks of is in its place.
    var manifestDraft: String { path + "/manifest.next" }
    var keyRing: String { path + "/keyring" }
    /// The directory that a region would be.
    var region: String { path + "/packs" }

    private static let title = "cairn-backup 1\n"

    func folder(of pack: PackID) -> String { "\(region)/packs/\(pack.hex.prefix(2))" }

    func pack(_ pack: PackID) -> String { "\(folder(of: pack))/\(pack.hex).pack" }

    /// The packs that are there, by the names of their files.
    func packs() throws -> [PackID] { try packs(ending: ".pack") }

    /// The packs that a backup which was cut off has begun to copy.
    func drafts() throws -> [PackID] { try packs(ending: ".pack.new") }

    private func packs(ending: String) throws -> [PackID] {
        try packFolders().flatMap { folder in
            try SafeFiles.names(in: folder).compactMap { name in
                name.hasSuffix(ending) ? PackID(hex: String(name.dropLast(ending.count))) : nil
            }
        }
    }

    /// The folders that packs lie in. What is no folder holds none.
    private func packFolders() throws -> [String] {
        let base = "\(region)/packs"
        guard access(base, F_OK) == 0 else { return [] }
        return try SafeFiles.names(in: base).map { "\(base)/\($0)" }.filter(SafeFiles.isFolder)
    }

    /// Makes sure that packs can be written, and those that are there be listed.
    /// - Throws: ``Failure`` `configuration` that names what lies in the place of a folder.
    private func checkPackFolders() throws {
        try SafeFiles.makeFolder(region)
        let base = "\(region)/packs"
        try SafeFiles.makeFolder(base)
        for name in try SafeFiles.names(in: base) where !SafeFiles.isFolder("\(base)/\(name)") {
            throw Failure(
                .configuration, "\(base)/\(name) is not a folder, and not of the backup: move it somewhere else")
        }
    }

    /// Takes a directory for a backup: one that is there must be empty, or a backup already. One that was made for a backup
    /// which was killed right then is taken as an empty one.
    /// - Returns: the descriptor that keeps other backups out of it until it is closed.
    func begin() throws -> Int32 {
        try SafeFiles.makeFolder(path)
        if access(mark, F_OK) != 0 {
            guard try SafeFiles.isBegun(path, with: Self.title, at: mark) else {
                throw Failure(.configuration, "\(path) is neither empty nor a backup")
            }
            try SafeFiles.write(Array(Self.title.utf8), to: mark)
        }
        let descriptor = open(mark, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(creating: mark, errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Failure(.unavailable, "another backup to \(path) is under way")
        }
        do { try checkPackFolders() } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// The manifest that speaks of the database that is there: a backup that was cut off leaves the one before whole.
    /// - Throws: ``Failure`` `configuration` when there is none: the backup is not whole.
    func load() throws -> BackupManifest {
        guard access(mark, F_OK) == 0 else { throw Failure(.configuration, "\(path) is no backup") }
        let manifests = try [manifestDraft, manifest].compactMap { try BackupManifest(reading: $0) }
        guard !manifests.isEmpty else {
            throw Failure(.configuration, "\(path) is not a whole backup: it has no manifest; run 'backup' again")
        }
        let found = try SafeFiles.hash(of: database)
        guard let manifest = manifests.first(where: { $0.database == found }) else {
            throw Failure(.inputOutput, "\(database) is not what the backup's manifest says: it is damaged")
        }
        return manifest
    }
}

/// A file as a manifest names it.
struct HashedFile: Codable, Hashable, Sendable {
    let size: UInt64
    let sha256: String

    init(size: UInt64, digest: Digest) {
        self.size = size
        sha256 = digest.hex
    }
}

/// What a backup consists of. It is written last.
struct BackupManifest: Codable, Hashable, Sendable {
    /// One pack: its bytes from the start on, of which there may be more in the file.
    struct Pack: Codable, Hashable, Sendable {
        let id: String
        let file: HashedFile
    }

    /// A block that is not in the backup as it was written, since no region of the server had it so.
    struct Block: Codable, Hashable, Sendable {
        let account: String
        let block: String
        let pack: String
        /// Where its record lies in the pack.
        let offset: UInt64

        init(_ block: StoredBlock, of account: AccountID) {
            self.account = "\(account)"
            self.block = "\(block.id)"
            pack = block.pack.hex
            offset = block.offset
        }
    }

    static let format = "cairn-backup 1"

    var format = Self.format
    /// When the database was copied.
    let made: String
    let database: HashedFile
    /// By id.
    let packs: [Pack]
    /// Packs that rows name and that no region of the server had.
    let lost: [String]
    /// Blocks that no region had whole; nil for none.
    let damaged: [Block]?
    /// The keyring, when it is in the backup.
    let keyring: HashedFile?

    init(
        made: String, database: HashedFile, packs: [PackID: HashedFile], lost: [PackID], damaged: [Block],
        keyring: HashedFile?
    ) {
        self.made = made
        self.database = database
        self.packs = packs.sorted { $0.key < $1.key }.map { Pack(id: $0.key.hex, file: $0.value) }
        self.lost = lost.sorted().map(\.hex)
        self.damaged = damaged.isEmpty ? nil : damaged
        self.keyring = keyring
    }

    /// Reads one; nil when there is no such file.
    init?(reading path: String) throws {
        guard access(path, F_OK) == 0 else { return nil }
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw Failure(.inputOutput, "\(path) can't be read: \(error.localizedDescription)")
        }
        guard format == Self.format else {
            throw Failure(.configuration, "\(path) is of the form '\(format)', this program knows '\(Self.format)'")
        }
    }

    /// The packs by id.
    /// - Throws: ``Failure`` for a name that is none.
    func files() throws -> [PackID: HashedFile] {
        var files: [PackID: HashedFile] = [:]
        for pack in packs {
            guard let id = PackID(hex: pack.id) else {
                throw Failure(.inputOutput, "the backup's manifest names '\(pack.id)' as a pack")
            }
            files[id] = pack.file
        }
        return files
    }

    /// Those of ``files()`` in which nothing is damaged.
    func wholeFiles() throws -> [PackID: HashedFile] {
        let damaged = Set((damaged ?? []).map(\.pack))
        return try files().filter { !damaged.contains($0.key.hex) }
    }

    /// The bytes of the manifest.
    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return Array(try encoder.encode(self)) + [0x0A]
    }
}
