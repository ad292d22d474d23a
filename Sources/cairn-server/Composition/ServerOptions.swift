public import ArgumentParser
import Foundation
public import Logging
import Metadata

/// The data directory, as every command takes it.
struct DataOption: ParsableArguments {
    @Option(
        name: .customLong("data"),
        help: ArgumentHelp("The data directory. Default: the environment's CAIRN_DATA.", valueName: "dir"))
    var path: String?

    @Option(
        name: .customLong("database"),
        help: ArgumentHelp(
            "Where the metadata is, when not in the data directory: a connection string of PostgreSQL, as "
                + "'postgresql://cairn@db1,db2/cairn?target_session_attrs=read-write'. The password is better in ~/.pgpass. "
                + "Default: the environment's CAIRN_DATABASE_URL.",
            valueName: "string"))
    var server: String?

    @Option(
        help: ArgumentHelp(
            "The configuration of the server, YAML. Default: the environment's CAIRN_CONFIG, or none.",
            valueName: "file"))
    var config: String?

    /// The connection string of the server that has the metadata; nil when it is in the data directory.
    var databaseServer: String? {
        let text = server ?? ProcessInfo.processInfo.environment["CAIRN_DATABASE_URL"]
        return text?.isEmpty == false ? text : nil
    }

    /// What the configuration says, if one was named.
    /// - Throws: ``Failure`` with the first complaint about it.
    func configured() throws -> ServerConfiguration? {
        let environment = ProcessInfo.processInfo.environment
        guard config != nil || environment["CAIRN_CONFIG"]?.isEmpty == false else { return nil }
        var words: [String] = []
        if let path { words += ["--data", path] }
        if let server { words += ["--database", server] }
        return try ServerConfiguration.read(config: config, words: words, environment: environment)
    }

    /// Where everything is.
    /// - Throws: ``Failure``; `ValidationError` when neither a data directory nor a configuration was named.
    func installation(create: Bool = false) throws -> Installation {
        guard let configured = try configured() else {
            let folder = try folder(create: create)
            return Installation(folder: folder, databaseServer: databaseServer, keyRing: folder.keyRing)
        }
        let folder = try configured.data.map { try DataFolder($0, create: create) }
        guard let keyRing = configured.keyRingFile ?? folder?.keyRing else {
            throw Failure(.configuration, "keyring_file: is missing, and so is a data directory")
        }
        var installation = Installation(folder: folder, databaseServer: configured.database.url, keyRing: keyRing)
        if case .s3(let regions) = configured.storage.place { installation.buckets = regions.map(\.configuration) }
        return installation
    }

    /// The metadata, where it is.
    /// - Throws: ``Failure``, and what the database throws.
    func database(create: Bool = false) async throws -> any MetadataDatabase {
        try await installation(create: create).metadata.open()
    }

    /// The directory that was named.
    func folder(create: Bool) throws -> DataFolder {
        guard let path = path ?? ProcessInfo.processInfo.environment["CAIRN_DATA"], !path.isEmpty else {
            throw ValidationError("Name the data directory: --data DIR, or CAIRN_DATA in the environment.")
        }
        return try DataFolder(path, create: create)
    }
}

/// How log lines look.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

/// A number of bytes: `64M`, `1G`, `65536`.
struct ByteCount: ExpressibleByArgument {
    let bytes: Int

    init(mebibytes: Int) {
        bytes = mebibytes << 20
    }

    init(kibibytes: Int) {
        bytes = kibibytes << 10
    }

    var defaultValueDescription: String {
        bytes % (1 << 20) == 0 ? "\(bytes >> 20)M" : bytes % (1 << 10) == 0 ? "\(bytes >> 10)K" : "\(bytes)"
    }

    init?(argument: String) {
        let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
        var digits = argument[...]
        var unit = 1
        if let last = digits.last?.uppercased().first, let factor = units[last] {
            unit = factor
            digits.removeLast()
        }
        // An integer may have a sign, a number of bytes has none.
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits), number > 0,
            number <= Int.max / unit
        else { return nil }
        bytes = number * unit
    }
}
