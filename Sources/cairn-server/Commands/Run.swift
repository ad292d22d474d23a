import ArgumentParser
import Foundation

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
            """)

    @OptionGroup var data: DataOption

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
            let address = try address()
            let folder = try data.folder(create: true)
            let polls = try notify.address(isInsecure: insecureListen)
            if polls != nil { OpenFiles.raise() }
            logging.bootstrap()
            let server = try await Server.open(
                folder: folder, databaseServer: data.databaseServer, address: address, regions: regions,
                packSize: packSize.bytes,
                secondQueue: queue, tls: tlsCertificate.flatMap { certificate in tlsKey.map { (certificate, $0) } },
                polls: polls, pollServers: notify.urls, collection: collect,
                scrubRate: noScrub ? nil : scrubRate.bytes, archive: archive.choice)
            try await server.run()
        }
    }

    private func address() throws -> ListenAddress {
        let text = listen ?? ProcessInfo.processInfo.environment["CAIRN_LISTEN"] ?? "127.0.0.1:8484"
        guard let address = ListenAddress(text) else {
            throw ValidationError("'\(text)' is no address to listen on: use ADDRESS:PORT.")
        }
        guard tlsCertificate != nil || insecureListen || address.isLoopback else {
            throw Failure(
                .configuration,
                "\(text) can be reached from other machines, and there is no TLS: passwords and tokens would go in the clear. "
                    + "Give --tls-certificate and --tls-key, or --insecure-listen when a proxy in front of the server speaks TLS."
            )
        }
        return address
    }
}
