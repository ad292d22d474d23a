import ArgumentParser
import Files

/// How a server that runs collects what nothing needs any more.
struct CollectOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How often to look for what nothing needs any more, as 6h, 30m or 10s; 0 for never.", valueName: "time"))
    var collectInterval = TimeSpan(hours: 6)

    @Option(
        help: ArgumentHelp(
            "For how long nothing may have needed it before it is removed. Below a day an upload that was interrupted may have to "
                + "send some of its data again.", valueName: "time"))
    var safetyWindow = TimeSpan(hours: 48)

    @Option(
        help: ArgumentHelp(
            "For how long a pack that nothing refers to waits before it is removed.", valueName: "time"))
    var packWindow = TimeSpan(hours: 1)

    @Option(help: ArgumentHelp("How much compaction copies in a second.", valueName: "bytes"))
    var collectRate = ByteCount(mebibytes: 16)

    /// The bounds of a collection with these options.
    var limits: CollectionLimits {
        var limits = CollectionLimits()
        limits.safetyWindow = safetyWindow.duration
        limits.packWindow = packWindow.duration
        return limits
    }

    func validate() throws {
        guard (64 << 10...1 << 40).contains(collectRate.bytes) else {
            throw ValidationError("--collect-rate goes from 64K to 1024G.")
        }
    }
}
