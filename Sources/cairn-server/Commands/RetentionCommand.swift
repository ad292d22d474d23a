import ArgumentParser
import Files
import Foundation
import Metadata
import Model
import Retention

/// `cairn-server retention`.
struct RetentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention",
        abstract: "Say which past versions of files are kept, and see what would go.",
        discussion: """
            A policy is 'default', 'keep-all', or a file with a JSON document. The nearest folder above a file that has a policy \
            decides, then the account, then 'default'. All of it works while the server runs, and while it does not.
            """,
        subcommands: [Explain.self, Set.self, Show.self, Apply.self])
}

/// A policy on a command line: a name, or a file that holds one.
enum PolicyArgument {
    /// Reads what an argument names.
    /// - Throws: ``Failure`` `usage` for a file that can't be read or holds no policy.
    static func text(_ argument: String) throws -> String {
        if RetentionPolicy.named(argument) != nil { return argument }
        guard let text = try? String(contentsOfFile: argument, encoding: .utf8) else {
            let names = RetentionPolicy.named.map(\.name).joined(separator: ", ")
            throw Failure(.usage, "'\(argument)' is no policy (\(names)) and no file that can be read")
        }
        _ = try policy(text, of: argument)
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The policy that a text says.
    static func policy(_ text: String, of argument: String) throws -> RetentionPolicy {
        do { return try RetentionPolicy(parsing: text) } catch {
            throw Failure(.usage, "\(argument): \(error)")
        }
    }

    /// Reads a path within an account.
    static func path(_ text: String) throws -> RemotePath {
        do { return try RemotePath(text) } catch { throw Failure(.usage, "\(error)") }
    }
}

extension RetentionCommand {
    /// `cairn-server retention set`.
    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set the policy of an account, or of a folder of it.",
            discussion:
                "It holds from the next round of the server on, which comes once an hour; 'retention apply' does it now."
        )

        @Argument(help: "The account's name.") var account: String
        @Argument(help: ArgumentHelp("[FOLDER] POLICY: a folder, if any, and a file or a name.", valueName: "policy"))
        var words: [String] = []
        @Flag(help: "Take the policy away that is set there.") var unset = false
        @OptionGroup var data: DataOption

        func validate() throws {
            guard words.count == (unset ? 0 : 1) || words.count == (unset ? 1 : 2) else {
                throw ValidationError(
                    unset
                        ? "Name at most a folder with --unset."
                        : "Give a policy, and before it a folder if it is for one.")
            }
        }

        func run() async throws {
            try await Failure.reporting {
                let folder = try (unset ? words.first : words.count == 2 ? words[0] : nil).map(PolicyArgument.path)
                let text = unset ? nil : try words.last.map(PolicyArgument.text)
                let database = try await data.database()
                let set = SetRetention(database: database, clock: SystemWallClock())
                try await set(text, account: account, folder: folder)
                let place = folder.map { "\($0)" } ?? "the account"
                Output.line("policy of \(place) \(unset ? "taken away" : "set")")
                try await database.close()
            }
        }
    }

    /// `cairn-server retention show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the policies of an account, each in full: place, date, document.")

        @Argument(help: "The account's name.") var account: String
        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                let database = try await data.database()
                let rules = try await SetRetention(database: database, clock: SystemWallClock()).rules(of: account)
                if !rules.contains(where: { $0.folder == nil }) {
                    Output.line("account\tdefault\t\(RetentionPolicy.standard.document)")
                }
                for rule in rules {
                    let place = rule.folder.map { "\($0)" } ?? "account"
                    let policy = try PolicyArgument.policy(rule.text, of: place)
                    Output.line("\(place)\t\(Notes.date(rule.updated))\t\(policy.document)")
                }
                try await database.close()
            }
        }
    }

    /// `cairn-server retention apply`.
    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let go now what the policies no longer want, of one account or of all.",
            discussion: "The server does the same once an hour. The room is free after the next collection.")

        @Argument(help: "The account's name; all when it is left out.") var account: String?
        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                let database = try await data.database()
                let clock = SystemWallClock()
                let names = if let account { [account] } else { try await MeasureUsage(database: database).accounts() }
                for name in names {
                    let id = try await FindAccount(database: database)(name).id
                    let report = try await ThinVersions(database: database, clock: clock)(account: id)
                    let relief = try await RelieveQuotas(database: database, clock: clock).relieve(id)
                    Output.line(
                        "\(name): \(report.versions) versions of \(report.files) files gone, "
                            + "\(ByteWords.text(report.bytes)) of them as files")
                    if let relief { Output.line("\(name): \(relief.versions) more, to come below the quota") }
                }
                try await database.close()
            }
        }
    }
}
