import ArgumentParser
import Model
import SyncClient
import WireProtocol

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Bring back an earlier version of a file, or what was deleted.",
        discussion: """
            Nothing is lost by it: the version that is there now stays in the history. What was deleted comes back where \
            it was, a folder with all that it held; when its name is taken by now it goes beside that, under a name that \
            says "restored". Without a revision or a time, what was deleted comes back as it was then.

              cairn restore /docs/plan.txt@17
              cairn restore /docs/plan.txt --at 2d
              cairn restore /docs/plan.txt@17 --to /docs/old-plan.txt
              cairn restore /photos

            'cairn history' tells the revisions. With --at the path is taken as it is written, also when it ends in @ and \
            digits. Ends with 1 when something of a folder could not be brought back: it is named.
            """)

    @Argument(help: ArgumentHelp("What to restore.", valueName: "path[@revision]"))
    var path: String

    @OptionGroup var past: PastOptions

    @Option(help: ArgumentHelp("Where it goes instead; there must be nothing yet.", valueName: "path"))
    var to: String?

    @OptionGroup var report: ReportOptions

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            let (path, point) = try past.target(path)
            let answer = try await client.restore(
                path, at: point, to: try to.map { try remotePath($0) }, isDry: report.dryRun)
            try HistoryReport.show(answer, json: report.json)
        }
    }
}

struct PinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin",
        abstract: "Give a version of a file a name, so that it is kept for ever.",
        discussion: """
              cairn pin /docs/plan.txt --name 'as it was signed'
              cairn pin /docs/plan.txt@17 --name draft

            Without a revision the present version is pinned. 'cairn history' shows pins.
            """)

    @Argument(help: ArgumentHelp("The file.", valueName: "path[@revision]"))
    var path: String

    @Option(help: "What the version is called.")
    var name: String

    @OptionGroup var past: PastOptions

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            let (path, point) = try past.target(path)
            let pin = try await client.pin(path, at: point, name: name)
            if json { return Terminal.line(try JSONOutput.text(pin)) }
            Terminal.line("pinned \(path)@\(pin.revision) as '\(Terminal.printable(pin.name))'")
        }
    }
}

struct UnpinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpin",
        abstract: "Take the name off a version again, or off all versions of a file.",
        discussion: "The version stays as long as the other rules keep it.")

    @Argument(help: ArgumentHelp("The file; without a revision all its pins.", valueName: "path[@revision]"))
    var path: String

    @OptionGroup var past: PastOptions

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            let (path, point) = try past.target(path)
            let count = try await client.unpin(path, at: point)
            Terminal.line("took \(count == 1 ? "1 pin" : "\(count) pins") off \(path)")
        }
    }
}
