import ArgumentParser

/// `cairn-server fsck`.
struct Fsck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check everything that a stopped server keeps, or a backup.",
        discussion: """
            It checks the database file, the chain of hashes of every journal, the shape of every tree at every revision, and that \
            each kept version of each file has all its pages and blocks, each of which some region has. With --full it also \
            reads every record of every pack in every region, opens it and compares its SHA-256. It changes nothing.

            With --repair, what one region lacks or has damaged is written there from another region that has it, once \
            that was verified. Nothing is removed, and nothing else is changed.

            Exit codes, those of fsck(8), added up: 0 clean; 1 damage was found and repaired; 4 damage is left; 8 not \
            everything could be checked. When the check can't begin they are those of the other commands, from 64 on.
            """)

    @OptionGroup var data: DataOption

    @Option(
        name: .customLong("region"),
        help: ArgumentHelp(
            "A further directory that holds a copy of every pack, as for 'run'; may be given several times. Default: those "
                + "that the database remembers.", valueName: "dir"))
    var regions: [String] = []

    @Option(
        help: ArgumentHelp("The archive, as for 'run'. Default: the one that the database remembers.", valueName: "dir")
    )
    var archive: String?

    @Flag(help: "Read, open and hash every record.")
    var full = false

    @Flag(help: "Write what a region lacks from another one.")
    var repair = false

    @Flag(help: "One JSON object a line: the findings, and then a summary.")
    var json = false

    @Flag(help: "Name also what does no harm: orphans, and bytes and packs that no row names.")
    var verbose = false

    func run() async throws {
        try await Failure.reporting {
            let check = FsckRun(
                installation: try data.installation(), regions: regions, archive: archive, isFull: full,
                repairs: repair,
                report: FsckReport(isJSON: json, isVerbose: verbose))
            let code = try await check()
            if code != 0 { throw ExitCode(code) }
        }
    }
}
