public import ArgumentParser
import Foundation
public import Logging

/// The data directory, as every command takes it.
struct DataOption: ParsableArguments {
    @Option(
        name: .customLong("data"),
        help: ArgumentHelp("The data directory. Default: the environment's CAIRN_DATA.", valueName: "dir"))
    var path: String?

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
