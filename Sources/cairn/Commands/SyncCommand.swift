import ArgumentParser
import Model
import SyncClient

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Make a folder and the server one, both ways, and end.",
        discussion: """
            At its first use the folder is linked: with the whole home folder of the account, or with the folder that \
            --remote names. If both sides hold files already they are merged; nothing is deleted. From then on the \
            folder is also watched by 'cairn watch'.

              cairn sync ~/Documents
              cairn sync ~/Pictures --remote /Pictures

            Ends with 0 when folder and server are the same, with 1 when some files had to wait (a file that was \
            being written, or that can't be read): 'cairn status' names them.
            """)

    @Argument(help: "The folder.", completion: .directory)
    var folder: String

    @Option(help: ArgumentHelp("The folder on the server, at the first use; '/' if not given.", valueName: "path"))
    var remote: String?

    @Flag(help: "Go on although very many files are gone from the folder, or it is not the same folder as before.")
    var confirmDeletions = false

    @Flag(help: "Say nothing but errors.")
    var quiet = false

    @Flag(help: "Print the result as JSON.")
    var json = false

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            let folder = try await client.link(HomeOptions.absolute(folder), remote: remote)
            let result = try await withProgress(client, quiet: quiet || json) {
                try await client.sync(folder, confirmDeletions: confirmDeletions)
            }
            if json {
                Terminal.line(try JSONOutput.text(result))
            } else if !quiet {
                Self.show(result)
            }
            if !result.isInSync { throw ExitStatus.waiting }
        }
    }

    private static func show(_ result: SyncResult) {
        for item in result.waiting {
            Terminal.error("waits: \(Terminal.printable(item.path)): \(Terminal.printable(item.message))")
        }
        for conflict in result.conflicts {
            Terminal.line("conflict: both versions kept, one as \(Terminal.printable(conflict.kept))")
        }
        let counts = result.counts
        let state = result.isInSync ? "in sync" : "\(result.waiting.count) waiting"
        Terminal.line(
            """
            \(state) at revision \(result.revision): \(counts.changesSent) changes sent, \
            \(counts.changesApplied) applied, \(ByteWords.text(counts.bytesSent)) up, \
            \(ByteWords.text(counts.bytesReceived)) down
            """)
    }
}

struct UnlinkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlink", abstract: "Stop keeping a folder in sync; no file is touched.")

    @Argument(help: "The folder.", completion: .directory)
    var folder: String

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            try await client.unlink(HomeOptions.absolute(folder))
            Terminal.line("unlinked; the files stay where they are, here and on the server")
        }
    }
}
