import Glibc

/// Where the client keeps what is its own.
///
/// `--home` or `CAIRN_HOME` names one folder for all of it, so that one machine can play several devices. Without
/// either the XDG base directories are followed: credentials are configuration, everything else is state.
public struct ClientHome: Hashable, Sendable {
    /// The folder of the credentials.
    public let configuration: String
    /// The folder of the state database, locks and reports.
    public let state: String

    /// Keeps everything in one folder.
    public init(folder: String) {
        self.init(configuration: folder, state: folder)
    }

    /// Finds the folders.
    /// - Parameters:
    ///   - folder: What the command line says; nil for nothing.
    ///   - environment: The variables of the process.
    /// - Throws: ``ClientError`` with code `usage` when not even `HOME` is set.
    public init(folder: String?, environment: [String: String]) throws {
        if let folder = folder ?? Self.value("CAIRN_HOME", environment) {
            self.init(folder: folder)
            return
        }
        let home = Self.value("HOME", environment)
        guard let configuration = Self.value("XDG_CONFIG_HOME", environment) ?? home.map({ $0 + "/.config" }),
            let state = Self.value("XDG_STATE_HOME", environment) ?? home.map({ $0 + "/.local/state" })
        else { throw ClientError(.usage, "neither CAIRN_HOME nor HOME is set: name a folder with --home") }
        self.init(configuration: configuration + "/cairn", state: state + "/cairn")
    }

    private init(configuration: String, state: String) {
        self.configuration = configuration
        self.state = state
    }

    private static func value(_ name: String, _ environment: [String: String]) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    var credentials: String { configuration + "/credentials.json" }
    var database: String { state + "/state.sqlite" }
    func lock(of link: Int64) -> String { state + "/link-\(link).lock" }
    func report(of link: Int64) -> String { state + "/link-\(link).json" }

    /// Makes the folders, for nobody but the user.
    func prepare() throws {
        for folder in Set([configuration, state]) { try PrivateFile.makeFolder(folder) }
    }
}
