import ArgumentParser
import Files
import Foundation
import Metadata
import MetadataPostgreSQL
import MetadataSQLite
import Model

/// `cairn-server migrate`.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Move the metadata from the data directory to PostgreSQL, or back, while the server does not run.",
        discussion: """
            The database that --database names must be there and empty. Every row is copied, and both sides are read once more and \
            compared. Then the data directory says that its metadata is elsewhere, and no server starts on what it has \
            from before; that is kept as cairn.db.before, and can be removed. One that is cut off is begun anew by the next, and the \
            data directory stays what it was.

            With --back the same happens the other way. The packs stay where they are.
            """)

    @OptionGroup var data: DataOption

    @Flag(help: "From PostgreSQL to the data directory.")
    var back = false

    func run() async throws {
        try await Failure.reporting {
            guard let server = data.databaseServer else {
                throw ValidationError("Name the database in PostgreSQL: --database STRING.")
            }
            let folder = try data.folder(create: false)
            let lock = try folder.takeLock()
            defer { close(lock) }
            let move = MoveMetadata(folder: folder, server: server, clock: SystemWallClock())
            let tables = try await back ? move.back() : move.there()
            for table in tables { Output.line("\(table.name)\t\(table.rows)") }
            Output.note(
                back
                    ? "The metadata is in \(folder.path): start the server without --database."
                    : "The metadata is in PostgreSQL: start the server with --database. \(folder.former) is of the past now."
            )
        }
    }
}
