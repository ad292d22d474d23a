import ArgumentParser
import Model
import SyncClient
import WireProtocol

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what is in sync, and what waits and why.",
        discussion: "Ends with 0 when every linked folder is in sync, else with 1; with 69 when only the server knows.")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            let status = try await client.status()
            if json {
                Terminal.line(try JSONOutput.text(status))
            } else {
                Self.show(status)
            }
            if !status.links.allSatisfy(\.isInSync) { throw ExitStatus.waiting }
            if status.serverProblem != nil { throw ExitStatus.unavailable }
        }
    }

    private static func show(_ status: StatusReport) {
        Terminal.line("\(status.account) on \(status.server), device '\(status.device)'")
        if let problem = status.serverProblem { Terminal.line("server: \(Terminal.printable(problem))") }
        if status.links.isEmpty { Terminal.line("no folder is linked: 'cairn sync FOLDER' links one") }
        for link in status.links { show(link) }
    }

    private static func show(_ link: LinkStatus) {
        let head = link.head.map { " of \($0)" } ?? ""
        let state = link.isInSync ? "in sync" : "not in sync"
        let watched = link.isBusy ? ", a cairn works on it" : ""
        Terminal.line("\(Terminal.printable(link.folder)) <-> \(Terminal.printable(link.remote))")
        Terminal.line("  \(state), revision \(link.revision)\(head)\(watched)")
        if let pass = link.lastPass { Terminal.line("  last pass \(pass)") }
        if let problem = link.problem { Terminal.line("  problem: \(Terminal.printable(problem))") }
        if link.changesToSend > 0 { Terminal.line("  \(link.changesToSend) changes to send") }
        if link.changesToApply > 0 { Terminal.line("  \(link.changesToApply) changes to apply") }
        for item in link.waiting {
            Terminal.line("  waits: \(Terminal.printable(item.path)): \(Terminal.printable(item.message))")
        }
        for upload in link.pending {
            let size = ByteWords.text(upload.size)
            Terminal.line("  on its way: \(Terminal.printable(upload.name)), \(size), since \(upload.since)")
        }
        for conflict in link.conflicts {
            let (path, kept) = (Terminal.printable(conflict.path), Terminal.printable(conflict.kept))
            Terminal.line("  conflict at \(conflict.time): \(path), the other version is \(kept)")
        }
    }
}

struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show bytes sent and received and blocks reused, of the last pass and in total.")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            let stats = try client.stats()
            if json { return Terminal.line(try JSONOutput.text(stats)) }
            for (name, counts) in [("last pass", stats.last), ("in total", stats.total)] {
                Terminal.line(name)
                Terminal.line("  sent      \(ByteWords.text(counts.bytesSent)) in \(counts.requests) requests")
                Terminal.line("  received  \(ByteWords.text(counts.bytesReceived))")
                Terminal.line("  changes   \(counts.changesSent) sent, \(counts.changesApplied) applied")
                let (sent, fetched) = (counts.blocksSent, counts.blocksFetched)
                Terminal.line("  blocks    \(sent) sent, \(fetched) fetched, \(counts.blocksReused) reused")
            }
        }
    }
}
