import ArgumentParser
import Blocks
import Files
import Metadata

/// `cairn-server key`.
struct Key: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look after the master keys.", subcommands: [New.self, Rotate.self])
}

extension Key {
    /// `cairn-server key new`.
    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a keyring for a server whose processes name it: keyring_file in the configuration.",
            discussion: """
                Make it once, and give every process a copy. A server with a data directory makes its own at the first start.
                """)

        @Argument(help: "The file; there must be none yet.")
        var file: String

        func run() async throws {
            try await Failure.reporting {
                guard try KeyRingFile(path: file).create(.generate()) else {
                    throw Failure(.cannotCreate, "\(file) is there already")
                }
                Notes.keyRingMade(file)
            }
        }
    }

    /// `cairn-server key rotate`.
    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a master key and wrap every account's key under it.",
            discussion: """
                The blocks stay as they are: they are encrypted under the accounts' keys, which do not change. The old master \
                keys stay in the keyring, so that older copies of the database can still be read. It works while the \
                server runs. Keep a copy of the new keyring afterwards.
                """)

        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                let installation = try data.installation()
                let database = try await installation.metadata.open()
                let file = KeyRingFile(path: installation.keyRing)
                let ring = try file.keyRing().rotated()
                // The ring is durable before any account depends on its new key.
                try file.replace(with: ring)
                let count = try await RotateKeys(database: database)(with: ring)
                Output.line("master key \(ring.current): \(count) account\(count == 1 ? "" : "s") wrapped anew")
                Output.line("keep a copy of \(installation.keyRing)")
                try await database.close()
            }
        }
    }
}
