import ArgumentParser
import Blocks
import Files
import Foundation
import Metadata
import Model

/// `cairn-server account`.
struct Account: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make and look after accounts. All of it works while the server runs, and while it does not.",
        subcommands: [Add.self, List.self, Password.self, Quota.self])
}

/// A password on standard input, so that it stands in no list of processes and no shell history.
struct PasswordInput: ParsableArguments {
    @Flag(help: "Read the password from the first line of standard input.")
    var passwordStdin = false

    func read() throws -> String {
        guard passwordStdin else {
            throw ValidationError("Give the password on standard input, with --password-stdin.")
        }
        guard let line = readLine(strippingNewline: true), !line.isEmpty else {
            throw Failure(.usage, "there is no password on standard input")
        }
        return line
    }
}

extension Account {
    /// `cairn-server account add`.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make an account.")

        @Argument(help: "The name to log in with.") var name: String
        @OptionGroup var password: PasswordInput
        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                let password = try password.read()
                let installation = try data.installation(create: true)
                let database = try await installation.metadata.open()
                let keyRing = try await installation.openKeyRing(database)
                let create = CreateAccount(
                    database: database, keyRing: keyRing, clock: SystemWallClock(),
                    randomness: Randomness(SecureRandom()))
                let account = try await create(name: name, password: password)
                Output.line("account \(account.name) \(account.id)")
                try await database.close()
            }
        }
    }

    /// `cairn-server account list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the accounts: id, creation, name.")

        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                let database = try await data.database()
                for account in try await database.read({ try AccountQueries($0).all() }) {
                    Output.line("\(account.id)\t\(Notes.date(account.created))\t\(account.name)")
                }
                try await database.close()
            }
        }
    }

    /// `cairn-server account password`.
    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an account another password. Its devices stay logged in.")

        @Argument(help: "The account's name.") var name: String
        @OptionGroup var password: PasswordInput
        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                let password = try password.read()
                let database = try await data.database()
                let change = ChangePassword(database: database, randomness: Randomness(SecureRandom()))
                try await change(name: name, password: password)
                Output.line("password of \(name) changed")
                try await database.close()
            }
        }
    }
}
