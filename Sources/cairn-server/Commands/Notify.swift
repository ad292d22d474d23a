import ArgumentParser

/// `cairn-server notify`.
struct Notify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Park the polls of devices, beside a server on the same machine.",
        discussion: """
            It answers POST /v1/poll for poll tokens, which the server gives out, and GET /health, /ready and /metrics. It \
            reads the server's database and keyring, changes neither, and hears the server's news over the socket 'bus.sock' \
            in the data directory. Several may run beside one server; tell the server where they are reached \
            (cairn-server run --notify-url URL), and it sends the devices there.

            When it is ready it prints 'listening on http://ADDRESS:PORT'. Without the server it goes on: polls stay parked, \
            and whatever was missed is read when the server is back. On SIGTERM or SIGINT it takes no more connections, \
            answers the parked polls in waves, so that the devices do not go elsewhere all at once, and ends with 0.

            Poll tokens go over the wire as they are, and there is no TLS: without --insecure-listen it listens on this machine \
            only, for a proxy that speaks TLS. After 'cairn-server key rotate' restart it, and then the server.
            """)

    @OptionGroup var data: DataOption

    @Option(
        help: ArgumentHelp(
            "Where to listen, by number; port 0 lets the system choose.", valueName: "address:port"))
    var listen = "127.0.0.1:8485"

    @Option(help: "The most polls that are parked at once. A poll takes some 150 bytes, and 4 KB of the kernel's.")
    var capacity = 100_000

    @Flag(help: "Listen beyond this machine.")
    var insecureListen = false

    @OptionGroup var logging: LogOptions

    func validate() throws {
        guard (1...2_000_000).contains(capacity) else {
            throw ValidationError("--capacity goes from 1 to 2000000.")
        }
        guard ListenAddress(listen) != nil else {
            throw ValidationError("'\(listen)' is no address to listen on: use ADDRESS:PORT.")
        }
    }

    func run() async throws {
        ProcessMemory.bound()
        OpenFiles.raise()
        try await Failure.reporting {
            let address = try PollAddress(listen, capacity: capacity, isInsecure: insecureListen)
            let folder = try data.folder(create: false)
            logging.bootstrap()
            try await NotificationProcess.open(
                folder: folder, databaseServer: data.databaseServer, address: address
            ).run()
        }
    }
}
