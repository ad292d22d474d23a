import ArgumentParser

/// Where the devices of a server poll.
struct NotifyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Park polls on an address of their own too, densely; by number, port 0 lets the system choose. Devices are sent there, "
                + "unless --notify-url names others.", valueName: "address:port"))
    var notifyListen: String?

    @Option(help: "The most polls that are parked at --notify-listen at once.")
    var notifyCapacity = 100_000

    @Option(
        name: .customLong("notify-url"),
        help: ArgumentHelp(
            "Where devices reach a notification process: a base URL, http://… or https://…; may be given several times. Each device "
                + "chooses one of them.", valueName: "url"))
    var urls: [String] = []

    func validate() throws {
        guard (1...2_000_000).contains(notifyCapacity) else {
            throw ValidationError("--notify-capacity goes from 1 to 2000000.")
        }
        guard urls.count <= 64 else { throw ValidationError("--notify-url names at most 64 places.") }
        for url in urls where !Self.isBase(url) {
            throw ValidationError("'\(url)' is no base URL: use http://HOST[:PORT] or https://HOST[:PORT].")
        }
        guard let notifyListen else { return }
        guard let address = ListenAddress(notifyListen) else {
            throw ValidationError("'\(notifyListen)' is no address to listen on: use ADDRESS:PORT.")
        }
        guard !urls.isEmpty || !address.isWildcard else {
            throw ValidationError("\(notifyListen) says not where devices reach it: name that by --notify-url.")
        }
    }

    /// The address to park polls on; nil when there is none but the API's own.
    /// - Throws: ``Failure`` `configuration` when tokens would go in the clear.
    func address(isInsecure: Bool) throws -> PollAddress? {
        try notifyListen.map { try PollAddress($0, capacity: notifyCapacity, isInsecure: isInsecure) }
    }

    /// Whether devices can put a path behind it.
    static func isBase(_ url: String) -> Bool {
        let scheme = ["http://", "https://"].first { url.lowercased().hasPrefix($0) }
        let rest = url.dropFirst(scheme?.count ?? url.count)
        return !rest.isEmpty && !rest.hasPrefix("/") && !rest.contains { $0.isWhitespace || "?#@".contains($0) }
    }
}
