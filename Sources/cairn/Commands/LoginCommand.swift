import ArgumentParser
import Foundation
import Glibc
import SyncClient
import WireProtocol

struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Make this machine a device of an account.",
        discussion: """
            The password is asked for, or read from standard input with --password-stdin. It is not kept: what is \
            kept is the device's own token, which 'cairn logout' or any other device of the account can revoke.

              cairn login https://cloud.example.org --account ada --device laptop
              pass show cairn | cairn login https://cloud.example.org --account ada --password-stdin
            """)

    @Argument(help: ArgumentHelp("The server's address, https://host[:port].", valueName: "url"))
    var server: String

    @Option(help: "The account's name.")
    var account: String

    @Option(help: "What this device shall be called; the host's name if not given.")
    var device: String?

    @Flag(help: "Read the password from the first line of standard input.")
    var passwordStdin = false

    @Option(help: ArgumentHelp("Trust the certificates in this PEM file instead of the system's.", valueName: "file"))
    var ca: String?

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await reportingFailures {
            let password = try passwordStdin ? Self.readPassword() : Self.askPassword(account: account)
            let name = device ?? Self.hostName()
            let credentials = try await Client.logIn(
                home: try options.clientHome(), server: server, account: account, password: password, device: name,
                certificateAuthority: ca.map(HomeOptions.absolute))
            Terminal.line(
                "logged in to \(credentials.server) as \(credentials.account), device '\(credentials.device)'")
        }
    }

    private static func readPassword() throws -> String {
        guard let line = readLine(strippingNewline: true), !line.isEmpty else {
            throw ClientError(.usage, "there is no password on standard input")
        }
        return line
    }

    private static func askPassword(account: String) throws -> String {
        guard let text = getpass("Password of \(account): ") else {
            throw ClientError(.usage, "there is no terminal to ask for the password: use --password-stdin")
        }
        let password = String(cString: text)
        memset(text, 0, strlen(text))
        if password.isEmpty { throw ClientError(.usage, "the password is empty") }
        return password
    }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unnamed" }
        return buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "unnamed" }
    }
}

struct LogoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout",
        abstract: "Revoke this device's token and forget it.",
        discussion: "Linked folders stay linked, and no file is touched: after the next login they go on.")

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            let wasRevoked = try await client.logOut()
            Terminal.line(wasRevoked ? "logged out" : "logged out here; the server had forgotten the device already")
        }
    }
}

struct DevicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "List the account's devices, or revoke one.")

    @Option(
        help: ArgumentHelp("Revoke the device with this id: its token is worth nothing from then on.", valueName: "id"))
    var revoke: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            if let revoke {
                try await client.revokeDevice(revoke)
                Terminal.line("revoked \(revoke)")
                return
            }
            let devices = try await client.devices()
            if json { return Terminal.line(try JSONOutput.text(devices)) }
            for device in devices {
                let seen = device.lastSeen.map { "seen \($0)" } ?? "never seen"
                let state = device.revoked.map { "revoked \($0)" } ?? seen
                let mark = device.current ? "*" : " "
                Terminal.line("\(mark) \(device.id)  \(Terminal.printable(device.name))  \(state)")
            }
        }
    }
}
