import ArgumentParser
import Files
import Metadata
import Model

/// `cairn-server usage`.
struct Usage: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what accounts keep, what that takes, and what sharing and compression save.",
        discussion: """
            With a path: what that file or folder really costs, with all its versions. What only it needs becomes free when all \
            versions of it are gone; what it shares stays. All recipes of the account are read.
            """)

    @Argument(help: "The account's name; all when it is left out.") var account: String?
    @Argument(help: "A file or a folder of the account.") var path: String?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var data: DataOption

    func run() async throws {
        try await Failure.reporting {
            let database = try await data.database()
            let measure = MeasureUsage(database: database)
            if let account, let path {
                try show(try await measure(account, path: try PolicyArgument.path(path)), account, path)
            } else {
                let names = if let account { [account] } else { try await measure.accounts() }
                for name in names { try show(try await measure(name)) }
            }
            try await database.close()
        }
    }

    private func show(_ usage: MeasureUsage.Account) throws {
        if json { return Output.line(try JSONText.line(AccountText(usage))) }
        Output.line(usage.name)
        Self.lines([
            ("files", "\(usage.files), \(ByteWords.text(usage.headBytes))"),
            ("versions", "\(usage.versions), \(ByteWords.text(usage.keptBytes)) as files"),
            ("blocks", "\(usage.needed.blocks), \(ByteWords.text(usage.needed.plainBytes))"),
            ("sealed", ByteWords.text(usage.needed.sealedBytes)),
            ("saved by sharing", ByteWords.text(usage.savedBySharing)),
            ("saved by compression", ByteWords.text(usage.savedByCompression)),
            ("not needed any more", ByteWords.text(usage.unneededBytes)),
            ("used", "\(ByteWords.text(usage.stored.sealedBytes)) of \(usage.quota.map(ByteWords.text) ?? "no limit")"),
            ("copies", "\(usage.regions) regions, \(ByteWords.text(usage.takenByCopies)) beyond the first"),
        ])
    }

    private func show(_ usage: MeasureUsage.Path, _ account: String, _ path: String) throws {
        if json { return Output.line(try JSONText.line(PathText(usage, account, path))) }
        Output.line("\(account) \(path)")
        Self.lines([
            ("files", "\(usage.files), \(ByteWords.text(usage.headBytes))"),
            ("versions", "\(usage.versions), \(ByteWords.text(usage.keptBytes)) as files"),
            ("only its own", Self.text(usage.own)), ("shared", Self.text(usage.shared)),
        ])
    }

    private static func text(_ totals: StoredTotals) -> String {
        "\(ByteWords.text(totals.sealedBytes)) sealed, \(ByteWords.text(totals.plainBytes)) plain, \(totals.blocks) blocks"
    }

    private static func lines(_ lines: [(name: String, text: String)]) {
        for (name, text) in lines {
            Output.line("  \(name)\(String(repeating: " ", count: max(1, 22 - name.count)))\(text)")
        }
    }
}

extension Usage {
    /// An account as JSON.
    struct AccountText: Encodable {
        let account: String
        let files: Int
        let versions: Int
        let headBytes: UInt64
        let keptBytes: UInt64
        let uniqueBytes: UInt64
        let sealedBytes: UInt64
        let savedBySharing: UInt64
        let savedByCompression: Int64
        let unneededBytes: UInt64
        let usedBytes: UInt64
        let quota: UInt64?
        let regions: Int
        let copiesBytes: UInt64

        private enum CodingKeys: String, CodingKey {
            case account, files, versions, quota, regions
            case headBytes = "head_bytes"
            case keptBytes = "kept_bytes"
            case uniqueBytes = "unique_bytes"
            case sealedBytes = "sealed_bytes"
            case savedBySharing = "saved_by_sharing"
            case savedByCompression = "saved_by_compression"
            case unneededBytes = "unneeded_bytes"
            case usedBytes = "used_bytes"
            case copiesBytes = "copies_bytes"
        }

        init(_ usage: MeasureUsage.Account) {
            account = usage.name
            files = usage.files
            versions = usage.versions
            headBytes = usage.headBytes
            keptBytes = usage.keptBytes
            uniqueBytes = usage.needed.plainBytes
            sealedBytes = usage.needed.sealedBytes
            savedBySharing = usage.savedBySharing
            savedByCompression = usage.savedByCompression
            unneededBytes = usage.unneededBytes
            usedBytes = usage.stored.sealedBytes
            quota = usage.quota
            regions = usage.regions
            copiesBytes = usage.takenByCopies
        }
    }

    /// A path as JSON.
    struct PathText: Encodable {
        let account: String
        let path: String
        let files: Int
        let versions: Int
        let headBytes: UInt64
        let keptBytes: UInt64
        let ownBytes: UInt64
        let ownSealedBytes: UInt64
        let sharedBytes: UInt64
        let sharedSealedBytes: UInt64

        private enum CodingKeys: String, CodingKey {
            case account, path, files, versions
            case headBytes = "head_bytes"
            case keptBytes = "kept_bytes"
            case ownBytes = "own_bytes"
            case ownSealedBytes = "own_sealed_bytes"
            case sharedBytes = "shared_bytes"
            case sharedSealedBytes = "shared_sealed_bytes"
        }

        init(_ usage: MeasureUsage.Path, _ account: String, _ path: String) {
            self.account = account
            self.path = path
            files = usage.files
            versions = usage.versions
            headBytes = usage.headBytes
            keptBytes = usage.keptBytes
            ownBytes = usage.own.plainBytes
            ownSealedBytes = usage.own.sealedBytes
            sharedBytes = usage.shared.plainBytes
            sharedSealedBytes = usage.shared.sealedBytes
        }
    }
}
