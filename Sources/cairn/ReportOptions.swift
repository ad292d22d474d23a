import ArgumentParser

/// How a command that changes the past reports, and whether it only says what it would do.
struct ReportOptions: ParsableArguments {
    @Flag(help: "Only say what would be done.")
    var dryRun = false

    @Flag(help: "Print JSON.")
    var json = false
}
