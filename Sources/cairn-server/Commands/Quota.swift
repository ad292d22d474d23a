import ArgumentParser
import Files
import Metadata
import Model

/// A number of bytes that an account may keep, or that there is no limit.
struct QuotaSize: ExpressibleByArgument, Equatable {
    /// Nil for no limit.
    let bytes: UInt64?

    init?(argument: String) {
        if argument.lowercased() == "none" {
            bytes = nil
            return
        }
        var (digits, factor) = (argument, 1)
        if let last = digits.last, last == "T" || last == "t" {
            digits.removeLast()
            factor = 1024
            digits += "G"
        }
        guard let count = ByteCount(argument: digits)?.bytes, count <= Int.max / factor else { return nil }
        bytes = UInt64(count * factor)
    }
}

extension Account {
    /// `cairn-server account quota`.
    struct Quota: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Limit how much an account may keep.",
            discussion: """
                The limit counts what the account's blocks take on one disk: equal blocks once, compressed, past versions too. At the \
                limit uploads are refused, and what the retention policy values least of the past versions goes. A server that runs \
                heeds the limit within a minute.
                """)

        @Argument(help: "The account's name.") var name: String
        @Argument(help: ArgumentHelp("The limit: 500M, 20G, 1T; or 'none'.", valueName: "size")) var size: QuotaSize
        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                let database = try await data.database()
                let used = try await SetQuota(database: database)(size.bytes, account: name)
                let limit = size.bytes.map { ByteWords.text($0) } ?? "none"
                Output.line("quota of \(name): \(limit), used \(ByteWords.text(used))")
                try await database.close()
            }
        }
    }
}
