import ArgumentParser
import Messaging
import MessagingLocal
import Metadata
import Model

/// `cairn-server device`.
struct Device: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look after the devices of accounts.", subcommands: [List.self, Revoke.self])
}

extension Device {
    /// `cairn-server device list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List an account's devices: id, login, last seen, state, name.")

        @Argument(help: "The account's name.") var account: String
        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                let database = try await data.database()
                let name = account
                let devices = try await database.read { connection in
                    guard let account = try AccountQueries(connection).byName(name) else {
                        throw Failure(.usage, "there is no account '\(name)'")
                    }
                    return try DeviceQueries(connection).all(of: account.id)
                }
                for device in devices {
                    let state = device.revoked.map { "revoked \(Notes.date($0))" } ?? "active"
                    let seen = device.lastSeen.map(Notes.date) ?? "-"
                    Output.line("\(device.id)\t\(Notes.date(device.created))\t\(seen)\t\(state)\t\(device.name)")
                }
                try await database.close()
            }
        }
    }

    /// `cairn-server device revoke`.
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a device's token worthless.",
            discussion: """
                A running server is told, and with it all notification processes: the device is refused at once, and its poll ends. \
                When the server can't be told, a note says so; it then heeds the revocation within two seconds, and polls \
                that are parked end by themselves.
                """)

        @Argument(help: "The device's id: 32 hexadecimal digits.") var device: String
        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                guard let id = DeviceID(hex: device) else {
                    throw ValidationError("'\(device)' is no id of a device: 32 hexadecimal digits.")
                }
                let database = try await data.database()
                let now = SystemWallClock().now()
                try await database.write { connection in
                    guard try DeviceQueries(connection).byID(id) != nil else {
                        throw Failure(.usage, "there is no device \(id)")
                    }
                    try DeviceQueries(connection).revoke(id, at: now)
                }
                try await database.close()
                if let folder = try data.installation().folder { await tell(id, at: folder.bus) }
                Output.line("device \(id) revoked")
            }
        }

        /// Tells the server, if one runs. The device is revoked already, whatever becomes of this.
        private func tell(_ device: DeviceID, at path: String) async {
            do {
                _ = try await BusAnnouncement(path: path)(.revoked(device))
            } catch {
                Output.note("cairn-server: the server could not be told, and will find out by itself: \(error)")
            }
        }
    }
}
