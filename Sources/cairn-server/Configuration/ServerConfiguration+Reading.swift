import Files
import Foundation
import HTTPAPI
import Logging
import Storage

extension ServerConfiguration {
    /// Reads what the file says (`--config` or `CAIRN_CONFIG`), over it the environment, and over both the words of the command
    /// line. A ``Failure`` names the place and the key.
    static func read(config: String?, words: [String], environment: [String: String]) throws -> ServerConfiguration {
        var settings = Settings()
        if let path = config ?? environment["CAIRN_CONFIG"], !path.isEmpty { settings = try SettingsFile.read(path) }
        settings.override(by: .environment(environment, regions: settings.regionCount))
        settings.override(by: .options(words))
        return try ServerConfiguration(settings) { try String(contentsOfFile: $0, encoding: .utf8) }
    }

    /// Reads settings.
    /// - Parameters:
    ///   - settings: all that was told.
    ///   - contents: reads a file that a key names.
    /// - Throws: ``Failure``, mostly `configuration`: the first complaint.
    init(_ settings: Settings, contents: @escaping (String) throws -> String) throws {
        try settings.check()
        let reader = SettingsReader(settings: settings, contents: contents)
        roles = try reader.roles()
        data = reader.text("data")
        keyRingFile = reader.text("keyring_file")
        tls = try reader.tls()
        isInsecure = reader.flag("insecure_listen") ?? false
        listen = try reader.listen(isSafe: tls != nil || isInsecure)
        drain = reader.time("drain") ?? .zero
        lease = reader.time("lease") ?? .seconds(30)
        guard lease >= .seconds(1) else { throw reader.complaint("lease", "is a second or more") }
        database = try reader.database()
        storage = try reader.storage()
        bus = try reader.bus()
        queue = try reader.queue()
        cache = try reader.cache()
        limits = try reader.limits()
        archive = try reader.archive()
        pollServers = reader.list("notify.urls") ?? []
        polls = try reader.polls(isInsecure: isInsecure)
        collection = reader.collection()
        scrubRate = reader.flag("scrub.enabled") == false ? nil : reader.bytes("scrub.rate") ?? 400 << 10
        logLevel = reader.text("log.level").flatMap { Logger.Level(rawValue: $0) } ?? .info
        logFormat = reader.text("log.format").flatMap { LogFormat(rawValue: $0) } ?? .text
        try ensureWhole(reader)
    }

    /// Whether the choices go together.
    private func ensureWhole(_ reader: SettingsReader) throws {
        if data == nil, needsData {
            let reason =
                database == .sqlite ? "SQLite" : keyRingFile == nil ? "a keyring without keyring_file" : "what is local"
            throw Failure(
                .usage,
                "Name the data directory: --data DIR, data in the configuration, or CAIRN_DATA in the environment: \(reason) lies in it"
            )
        }
        if database == .sqlite, case .s3 = storage.place {
            throw reader.complaint("storage.kind", "buckets go with PostgreSQL: database.kind is sqlite")
        }
        let isWhole = roles == Set(ServerRole.allCases)
        if bus == .local, database != .sqlite, !isWhole {
            throw reader.complaint(
                "bus.kind",
                "without a bus the processes do not hear of each other: choose redis, or give one process all roles")
        }
        if archive?.directory != nil, database != .sqlite, !roles.isSuperset(of: [.api, .block, .maintenance]) {
            throw reader.complaint(
                "archive.directory", "belongs to one process, which needs the roles api, block and maintenance")
        }
        if roles == [.notify], database == .sqlite, polls == nil {
            throw reader.complaint("notify.listen", "is missing: beside a server with SQLite the role notify needs it")
        }
        if polls != nil, !roles.contains(.notify) {
            throw reader.complaint("notify.listen", "is for the role notify, which this process does not have")
        }
    }
}

extension SettingsReader {
    /// Whether a value that can't be read is a command line's fault or that of the configuration.
    private func wrongWord(_ path: String) -> Failure.Code {
        settings[path]?.origin.hasPrefix("--") == true ? .usage : .configuration
    }

    fileprivate func roles() throws -> Set<ServerRole> {
        guard let words = list("roles") else { return Set(ServerRole.allCases) }
        var roles: Set<ServerRole> = []
        for word in words {
            if word == "all" {
                roles.formUnion(ServerRole.allCases)
                continue
            }
            guard let role = ServerRole(rawValue: word) else {
                let known = ServerRole.allCases.map(\.rawValue).joined(separator: ", ")
                throw complaint(
                    "roles", "'\(word)' is no role: there are \(known), and all of them: all", wrongWord("roles"))
            }
            roles.insert(role)
        }
        guard !roles.isEmpty else { throw complaint("roles", "names no role") }
        return roles
    }

    fileprivate func tls() throws -> TLSFiles? {
        switch (text("tls.certificate"), text("tls.key")) {
        case (nil, nil): return nil
        case (let certificate?, let key?): return TLSFiles(certificate: certificate, key: key)
        case (nil, _): throw complaint("tls.key", "goes together with tls.certificate")
        case (_, nil): throw complaint("tls.certificate", "goes together with tls.key")
        }
    }

    fileprivate func listen(isSafe: Bool) throws -> ListenAddress {
        let text = text("listen") ?? "127.0.0.1:8484"
        guard let address = ListenAddress(text) else {
            throw complaint(
                "listen", "'\(text)' is no address to listen on: use ADDRESS:PORT", wrongWord("listen"))
        }
        guard isSafe || address.isLoopback else {
            throw complaint(
                "listen",
                "\(text) can be reached from other machines, and there is no TLS: passwords and tokens would go in the clear. "
                    + "Give --tls-certificate and --tls-key, or --insecure-listen when a proxy in front of the server speaks TLS."
            )
        }
        return address
    }

    fileprivate func polls(isInsecure: Bool) throws -> PollAddress? {
        let urls = list("notify.urls") ?? []
        guard urls.count <= 64 else { throw complaint("notify.urls", "names at most 64 places") }
        for url in urls where !NotifyOptions.isBase(url) {
            throw complaint("notify.urls", "'\(url)' is no base URL: use http://HOST[:PORT] or https://HOST[:PORT]")
        }
        guard let text = text("notify.listen") else { return nil }
        guard let address = ListenAddress(text) else {
            throw complaint("notify.listen", "'\(text)' is no address to listen on: use ADDRESS:PORT")
        }
        guard !urls.isEmpty || !address.isWildcard else {
            throw complaint("notify.listen", "\(text) says not where devices reach it: name that by notify.urls")
        }
        return try PollAddress(text, capacity: number("notify.capacity") ?? 100_000, isInsecure: isInsecure)
    }

    fileprivate func collection() -> CollectionChoice {
        var limits = CollectionLimits()
        limits.safetyWindow = time("collect.safety_window") ?? .seconds(48 * 3600)
        limits.packWindow = time("collect.pack_window") ?? .seconds(3600)
        return CollectionChoice(
            interval: time("collect.interval") ?? .seconds(6 * 3600), limits: limits,
            bytesPerSecond: bytes("collect.rate") ?? 16 << 20)
    }
}
