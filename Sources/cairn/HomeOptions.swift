import ArgumentParser
import Foundation
import SyncClient

/// What every command understands.
struct HomeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The client's own folder, instead of CAIRN_HOME.", valueName: "folder"))
    var home: String?

    func clientHome() throws -> ClientHome {
        try ClientHome(folder: home.map(Self.absolute), environment: ProcessInfo.processInfo.environment)
    }

    /// A path as the user wrote it, from the root on; symbolic links stay as they are.
    static func absolute(_ path: String) -> String {
        var path = path
        if !path.hasPrefix("/") { path = FileManager.default.currentDirectoryPath + "/" + path }
        return URL(fileURLWithPath: path).standardizedFileURL.path
    }
}

/// Runs the body of a command with an open client, and ends the process with the code of its failure.
func withClient(
    _ options: HomeOptions, _ body: (Client) async throws -> Void
) async throws {
    try await reportingFailures {
        let client = try Client(home: try options.clientHome())
        do {
            try await body(client)
        } catch {
            try? await client.close()
            throw error
        }
        try await client.close()
    }
}

/// Says on standard error what failed, and ends the process with its code.
func reportingFailures(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as ClientError {
        Terminal.error("cairn: \(Terminal.printable(error.message))")
        throw ExitStatus.of(error.code)
    } catch is CancellationError {
        Terminal.error("cairn: stopped")
        throw ExitStatus.temporary
    }
}
