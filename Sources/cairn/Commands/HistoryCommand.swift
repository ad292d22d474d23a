import ArgumentParser
import Model
import SyncClient
import WireProtocol

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show the versions of a file, or what was deleted.",
        discussion: """
            Every version has the number of the revision that made it: 'cairn restore PATH@REVISION' brings it back, \
            'cairn get PATH FILE --at REVISION' only copies it. A file that is gone is found as well; when several files \
            had the path one after the other, each is shown, the newest first.

              cairn history /docs/plan.txt
              cairn history --deleted /docs
              cairn history --deleted

            Times are those of this machine's time zone. With --json they are in UTC.
            """)

    @Argument(help: "The file; with --deleted a folder, the account's home if not given.")
    var path: String?

    @Flag(help: "Show versions whose bytes are not kept any more, too.")
    var all = false

    @Flag(help: "List what was deleted from the folder, at any depth, the newest first.")
    var deleted = false

    @Option(help: ArgumentHelp("With --deleted: show at most so many.", valueName: "count"))
    var limit = 1000

    @Flag(help: "Print JSON; with --deleted one document a line.")
    var json = false

    @OptionGroup var options: HomeOptions

    func validate() throws {
        if !deleted, path == nil { throw ValidationError("name a file, or ask for --deleted") }
        if limit < 1 { throw ValidationError("--limit is at least 1") }
    }

    func run() async throws {
        try await withClient(options) { client in
            let path = try remotePath(path ?? "/")
            if deleted { return try await showDeleted(client, path) }
            let listing = try await client.versions(of: path, showsAll: all)
            if json { return Terminal.line(try JSONOutput.text(listing)) }
            for node in listing.nodes { Self.show(node, listing) }
        }
    }

    private static func show(_ node: NodeVersions, _ listing: VersionListing) {
        let state = node.path.map { $0 == listing.path ? "" : ", now at \(Terminal.printable($0))" } ?? ", deleted"
        Terminal.line("\(Terminal.printable(listing.path))\(state)")
        var table = TableText(["REVISION", "TIME", "SIZE", "DEVICE", "CHANGE"], right: [0, 2])
        for entry in node.entries {
            table.add([
                String(entry.revision), LocalTime.text(entry.time), size(entry),
                Terminal.printable(entry.deviceName ?? entry.device ?? "-"), change(entry),
            ])
        }
        table.lines(indent: 2).forEach(Terminal.line)
        if node.hidden > 0 { Terminal.line("  \(node.hidden) more are not kept: --all shows them") }
    }

    private static func size(_ entry: VersionEntry) -> String {
        if entry.changes == ["deleted"] { return "-" }
        return entry.size.map(ByteWords.text) ?? "-"
    }

    private static func change(_ entry: VersionEntry) -> String {
        var text = entry.changes.joined(separator: ", ")
        if let path = entry.path { text += " \(Terminal.printable(path))" }
        if entry.changes != ["deleted"], !entry.kept { text += " (not kept)" }
        if entry.current { text += " (current)" }
        if let pin = entry.pin { text += " [pinned: \(Terminal.printable(pin))]" }
        return text
    }

    private func showDeleted(_ client: Client, _ path: RemotePath) async throws {
        var table = TableText(["REVISION", "TIME", "SIZE", "DEVICE", "PATH"], right: [0, 2])
        var isEmpty = true
        let hasMore = try await client.deleted(below: path, limit: limit) { entry in
            if json { return Terminal.line(try JSONOutput.line(entry)) }
            isEmpty = false
            table.add([
                String(entry.revision), LocalTime.text(entry.time), entry.size.map(ByteWords.text) ?? "-",
                Terminal.printable(entry.deviceName ?? entry.device ?? "-"),
                Terminal.printable(entry.path) + (entry.kind == "folder" ? "/" : "")
                    + (entry.kept ? "" : " (not kept)"),
            ])
        }
        if !json { isEmpty ? Terminal.line("nothing was deleted there") : table.lines().forEach(Terminal.line) }
        if hasMore { Terminal.error("cairn: there is more: --limit shows it") }
    }
}
