/// Where the server listens: a host and a port.
struct ListenAddress: Equatable {
    let host: String
    let port: Int

    /// Reads `127.0.0.1:8484`, `[::1]:8484` or `localhost:8484`; port 0 lets the system choose.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.host = String(host)
        self.port = port
    }

    /// Whether only this machine can reach the address.
    var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return parts.count == 4 && parts.allSatisfy { $0 != nil } && parts[0] == 127
    }

    /// Whether it stands for all addresses of the machine, and so names none that a device could use.
    var isWildcard: Bool { host == "0.0.0.0" || host == "::" }

    /// The address as part of a URL.
    func url(scheme: String, port: Int) -> String {
        "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}
