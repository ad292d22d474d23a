import Metadata
import StorageS3

/// Where a server keeps what commands look at, as the options or its configuration say.
struct Installation {
    /// The data directory, or a backup; nil when all that is kept is kept elsewhere.
    let folder: DataFolder?
    /// The connection string of the server that has the metadata; nil when it is in the data directory.
    let databaseServer: String?
    /// The file with the master keys.
    let keyRing: String
    /// The buckets that hold the packs; none when directories hold them.
    var buckets: [S3RegionConfiguration]

    /// All of it in one directory, which is there.
    /// - Throws: ``Failure``.
    init(at path: String) throws {
        let folder = try DataFolder(path, create: false)
        self.init(folder: folder, databaseServer: nil, keyRing: folder.keyRing)
    }

    /// What is kept where.
    init(
        folder: DataFolder?, databaseServer: String?, keyRing: String, buckets: [S3RegionConfiguration] = []
    ) {
        self.folder = folder
        self.databaseServer = databaseServer
        self.keyRing = keyRing
        self.buckets = buckets
    }

    /// Whether it is a backup.
    var isBackup: Bool { folder?.isBackup ?? false }

    /// Where the metadata is.
    var metadata: MetadataPlace { MetadataPlace(folder: folder, server: databaseServer) }

    /// The keys.
    /// - Throws: ``Failure``.
    func openKeyRing(_ database: any MetadataDatabase) async throws -> KeyRingFile {
        try await KeyRingFile.open(keyRing, isNamed: keyRing != folder?.keyRing, database: database)
    }

    /// How the database is called in messages.
    var databaseName: String { databaseServer == nil ? folder?.database ?? "the database" : "the database" }
}
