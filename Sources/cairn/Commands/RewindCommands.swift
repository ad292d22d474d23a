import ArgumentParser
import Model
import SyncClient
import WireProtocol

struct RewindCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rewind",
        abstract: "Bring a file, a folder or everything back to what it was.",
        discussion: """
            What came later goes, what was deleted comes back, what was moved moves back. Nothing is erased: the way \
            there stays in the history, and a rewind can be rewound. '/' stands for everything.

              cairn rewind /docs --at '2026-01-02 15:04' --dry-run
              cairn rewind / --at 2h

            It is one commit; with more than ten thousand changes it is several, each of which leaves the tree whole. \
            Linked folders follow as with any other change. Ends with 1 when some files were left as they are, since \
            their versions of then are not kept: they are named.
            """)

    @Argument(help: "What to rewind.")
    var path: String

    @Option(help: ArgumentHelp("To when: a revision, or \(PastText.forms).", valueName: "time"))
    var at: String

    @OptionGroup var report: ReportOptions

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            let answer = try await client.rewind(
                try remotePath(path), to: try PastText.ofThisMachine.point(at), isDry: report.dryRun)
            try HistoryReport.show(answer, json: report.json)
        }
    }
}

struct UndoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Take back what one device did, and keep what everybody else did.",
        discussion: """
            For a device that went wild: a script that renamed too much, a program that encrypted every file. What the \
            device did in the window is taken back wherever it was the last to change a file. What was changed after by \
            something else is left as it is, and named: 'cairn history' and 'cairn restore' help with those.

              cairn devices
              cairn undo --device laptop --since 3h --dry-run
              cairn undo --device laptop --since '2026-01-02 15:04' --until '2026-01-02 16:00' /docs

            Ends with 1 when some files were left as they are.
            """)

    @Option(help: ArgumentHelp("The device.", valueName: "name|id"))
    var device: String

    @Argument(help: "Below which folder; everywhere if not given.")
    var path = "/"

    @Option(help: ArgumentHelp("From when on: \(PastText.forms).", valueName: "time"))
    var since: String

    @Option(help: ArgumentHelp("Until when; now if not given.", valueName: "time"))
    var until: String?

    @OptionGroup var report: ReportOptions

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            let times = PastText.ofThisMachine
            let answer = try await client.undo(
                device: device, below: try remotePath(path), since: try times.moment(since),
                until: try until.map { try times.moment($0) }, isDry: report.dryRun)
            try HistoryReport.show(answer, json: report.json)
        }
    }
}
