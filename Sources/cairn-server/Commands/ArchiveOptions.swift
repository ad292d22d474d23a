import ArgumentParser
import Files
import Storage

/// Whether there is an archive, and what goes there.
struct ArchiveOptions: ParsableArguments {
    @Option(
        name: .customLong("archive"),
        help: ArgumentHelp(
            "A directory for what only old versions need, best on a large and slow disk. Without it everything stays where it is.",
            valueName: "dir"))
    var directory: String?

    @Option(
        help: ArgumentHelp(
            "How long the archive takes to thaw a pack, as the cold classes of cloud storage do.", valueName: "duration"
        ))
    var archiveThawDelay = TimeSpan(hours: 0)

    @Option(help: ArgumentHelp("Versions that ended so long ago go to the archive.", valueName: "duration"))
    var archiveAfter = TimeSpan(hours: 90 * 24)

    @Option(
        help: ArgumentHelp(
            "Current files that nobody wrote or read for so long go there too. Default: none do.", valueName: "duration"
        ))
    var archiveUnused: TimeSpan?

    @Option(
        help: ArgumentHelp("For how long what was brought back stays, in whole days.", valueName: "duration"))
    var archiveKeep = TimeSpan(hours: 7 * 24)

    @Option(help: ArgumentHelp("How often a server looks for what can go there.", valueName: "duration"))
    var archiveInterval = TimeSpan(hours: 24)

    func validate() throws {
        guard directory == nil || directory?.isEmpty == false else {
            throw ValidationError("--archive names a directory.")
        }
    }

    /// What was chosen; nil when there is to be no archive.
    var choice: ArchiveChoice? {
        directory.map {
            ArchiveChoice(
                place: .directory($0, pace: ThawingArchive.Pace(delay: archiveThawDelay.duration)),
                policy: ArchivePolicy(
                    pastAfter: archiveAfter.duration, currentAfter: archiveUnused?.duration,
                    keptAfterThaw: archiveKeep.duration),
                round: archiveInterval.duration)
        }
    }
}
