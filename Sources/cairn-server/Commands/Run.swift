import ArgumentParser
import Foundation
import HTTPAPI

/// `cairn-server run`.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve until SIGTERM or SIGINT.",
        discussion: """
            When it is ready it prints 'listening on http://ADDRESS:PORT' and writes the same address to the file 'listening' \
            in the data directory. On SIGTERM or SIGINT it takes no more connections, finishes the requests under way, answers \
            the parked polls and ends with 0.

            Tokens and passwords go over the wire as they are: without --tls-certificate and --tls-key the server \
            listens on this machine only, unless --insecure-listen says that something in front of it speaks TLS.

            All of it can be in a file too, and more: which database, storage and bus, for processes on several machines. \
            docs/operations.md has an example. The variables CAIRN_… of the environment stand above the file, the options above \
            both.
            """)

    @OptionGroup var data: DataOption

    @Option(
        name: .customLong("role"),
        help: ArgumentHelp(
            "What this process does: api, block, notify, maintenance, or all. May be given several times, or with commas. Default: all.",
            valueName: "role"))
    var roles: [String] = []

    @Option(
        help: ArgumentHelp(
            "After the signal to stop, for how long /ready says so before anything stops, so that a balancer sends requests "
                + "elsewhere.", valueName: "time"))
    var drain = TimeSpan(hours: 0)

    @Option(
        help: ArgumentHelp(
            "Where to listen; port 0 lets the system choose. Default: CAIRN_LISTEN, or 127.0.0.1:8484.",
            valueName: "address:port"))
    var listen: String?

    @Option(
        name: .customLong("region"),
        help: ArgumentHelp(
            "A further directory that holds a copy of every pack, best on another disk; may be given several times. The first copy "
                + "is in the data directory.", valueName: "dir"))
    var regions: [String] = []

    @Option(
        name: .customLong("queue"),
        help: ArgumentHelp(
            "The directory of the second offline queue, best on another disk. Default: in the data directory, as the first.",
            valueName: "dir"))
    var queue: String?

    @Option(help: ArgumentHelp("The certificate chain, PEM.", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key, PEM.", valueName: "file"))
    var tlsKey: String?

    @Flag(help: "Listen beyond this machine without TLS.")
    var insecureListen = false

    @OptionGroup var archive: ArchiveOptions

    @OptionGroup var notify: NotifyOptions

    @OptionGroup var collect: CollectOptions

    @OptionGroup var logging: LogOptions

    @Option(help: ArgumentHelp("From this size on a pack is complete.", valueName: "bytes"))
    var packSize = ByteCount(mebibytes: 64)

    @Option(
        help: ArgumentHelp(
            "How much of the packs is read in a second, to find what rots while another region still has it: at 400K a terabyte "
                + "takes a month.", valueName: "bytes"))
    var scrubRate = ByteCount(kibibytes: 400)

    @Flag(help: "Do not read the packs by itself.")
    var noScrub = false

    func validate() throws {
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together.")
        }
        guard (1 << 20...2 << 30).contains(packSize.bytes) else {
            throw ValidationError("--pack-size goes from 1M to 2G.")
        }
    }

    func run() async throws {
        ProcessMemory.bound()
        try await Failure.reporting {
            let configuration = try ServerConfiguration.read(
                config: data.config, words: Array(CommandLine.arguments.dropFirst()),
                environment: ProcessInfo.processInfo.environment)
            if configuration.polls != nil { OpenFiles.raise() }
            LogOptions.bootstrap(level: configuration.logLevel, format: configuration.logFormat)
            // Polls can be parked beside the server that has the data directory; nothing else can.
            if configuration.roles == [.notify], configuration.database == .sqlite,
                let path = configuration.data, let polls = configuration.polls
            {
                let folder = try DataFolder(path, create: false)
                return try await NotificationProcess.open(folder: folder, address: polls, bus: configuration.bus).run()
            }
            try await Server.open(configuration).run()
        }
    }
}
