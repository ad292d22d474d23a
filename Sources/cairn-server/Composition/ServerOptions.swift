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

    /// The connection string of the server that has the metadata; nil when it is in the data directory.
    var databaseServer: String? {
        let text = server ?? ProcessInfo.processInfo.environment["CAIRN_DATABASE_URL"]
        return text?.isEmpty == false ? text : nil
    }

    /// The metadata, where it is.
    /// - Throws: ``Failure``, and what the database throws.
    func database(create: Bool = false) async throws -> any MetadataDatabase {
        try await MetadataPlace(folder: try folder(create: create), server: databaseServer).open()
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
