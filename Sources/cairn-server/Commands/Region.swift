import ArgumentParser
import Metadata
import Model

/// `cairn-server region`.
struct Region: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look after the directories that hold copies of the packs.",
        discussion: """
            A server marks each of its regions with a file 'region', and remembers them. It does not start while one is \
            missing and an unmarked directory is named in its place, which is what a disk that is not mounted looks like.
            """,
        subcommands: [List.self, Add.self, Forget.self])
}

extension Region {
    /// `cairn-server region list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the regions: id, since when, path.")

        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                let database = try await data.database()
                for region in try await database.read({ try RegionQueries($0).all() }) {
                    Output.line("\(region.id)\t\(Notes.date(region.added))\t\(region.path)")
                }
                try await database.close()
            }
        }
    }

    /// `cairn-server region add`.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a directory a region, in the place of one that is lost.",
            discussion: "The server fills it from the other regions when it runs with it.")

        @Argument(help: "The directory.") var directory: String
        @Flag(help: "Take the packs that are there, whoever wrote them.") var adopt = false
        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                let database = try await data.database()
                let id = try await RegionSet(database: database, clock: SystemWallClock()).add(
                    directory, adopting: adopt)
                Output.line("region \(id) \(RegionSet.absolute(directory))")
                try await database.close()
            }
        }
    }

    /// `cairn-server region forget`.
    struct Forget: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "No longer miss a region that is lost or was given up. Nothing is removed.")

        @Argument(help: "The region's id: 32 hexadecimal digits.") var region: String
        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                guard let id = RegionID(hex: region) else {
                    throw ValidationError("'\(region)' is no id of a region: 32 hexadecimal digits.")
                }
                let database = try await data.database()
                guard try await database.write({ try RegionQueries($0).forget(id) }) else {
                    throw Failure(.usage, "there is no region \(id)")
                }
                Output.line("region \(id) forgotten")
                try await database.close()
            }
        }
    }
}
