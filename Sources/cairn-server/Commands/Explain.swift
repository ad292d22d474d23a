import ArgumentParser
import Files
import Metadata
import Model
import Retention

extension RetentionCommand {
    /// `cairn-server retention explain`.
    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show which versions would go now, and why. Changes nothing.",
            discussion: """
                Of a folder, the files of which something would go; of a file, all its versions. The bytes are those of the versions \
                as files: what becomes free is less where versions share blocks. With --json, one document in a line for each file, \
                and then one with the sums.
                """)

        @Argument(help: "The account's name.") var account: String
        @Argument(help: "A file or a folder; everything when it is left out.") var path: String?
        @Option(help: ArgumentHelp("What this policy would do instead of those that are set.", valueName: "file|name"))
        var policy: String?
        @Flag(help: "Print JSON.") var json = false
        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                let policy = try self.policy.map { try PolicyArgument.policy(PolicyArgument.text($0), of: $0) }
                let path = try path.map(PolicyArgument.path) ?? .root
                let database = try await data.database()
                var sums = Sums()
                let explain = ExplainRetention(database: database, clock: SystemWallClock())
                try await explain(account, path: path, policy: policy) { file in
                    sums.add(file)
                    if file.path != path, file.verdicts.going.isEmpty { return }
                    if json { Output.line(try JSONText.line(FileText(file))) } else { show(file) }
                }
                Output.line(json ? try JSONText.line(sums) : sums.text)
                try await database.close()
            }
        }

        private func show(_ file: ExplainRetention.File) {
            Output.line("\(file.path)")
            for (version, verdict) in file.verdicts.decisions {
                let date = Notes.date(version.time)
                let size = ByteWords.text(version.content.size)
                Output.line("  revision \(version.revision)\t\(date)\t\(size)\t\(verdict)")
            }
        }
    }

    /// What would go in all.
    struct Sums: Encodable {
        var files = 0
        var versions = 0
        var goingVersions = 0
        var goingBytes: UInt64 = 0

        private enum CodingKeys: String, CodingKey {
            case files, versions
            case goingVersions = "going_versions"
            case goingBytes = "going_bytes"
        }

        mutating func add(_ file: ExplainRetention.File) {
            files += 1
            versions += file.verdicts.decisions.count
            goingVersions += file.verdicts.going.count
            goingBytes += file.verdicts.going.reduce(0) { $0 + $1.content.size }
        }

        var text: String {
            "\(goingVersions) of \(versions) versions of \(files) files with a past would go, "
                + "\(ByteWords.text(goingBytes)) as files"
        }
    }

    /// A file as JSON.
    struct FileText: Encodable {
        /// A version as JSON.
        struct Version: Encodable {
            let revision: UInt64
            let time: String
            let size: UInt64
            let kept: Bool
            let reason: String
        }

        let path: String
        let versions: [Version]

        init(_ file: ExplainRetention.File) {
            path = "\(file.path)"
            versions = file.verdicts.decisions.map { version, verdict in
                Version(
                    revision: version.revision.number, time: Notes.date(version.time), size: version.content.size,
                    kept: verdict.isKept, reason: "\(verdict)")
            }
        }
    }
}
