import ArgumentParser
import Model
import SyncClient

/// At which point in the past a command looks.
struct PastOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "As it was then: a revision, or \(PastText.forms).", valueName: "time"))
    var at: String?

    /// What the server is asked for; nil for the present.
    func point() throws -> String? { try at.map { try PastText.ofThisMachine.point($0) } }

    /// A path and a point: `PATH@REVISION`, or the path as it is written where `--at` says the point.
    func target(_ text: String) throws -> (path: RemotePath, point: String?) {
        if let point = try point() { return (try remotePath(text), point) }
        let (path, revision) = PastText.split(text)
        return (try remotePath(path), revision)
    }
}

extension PastText {
    /// By the clock and the time zone of this machine.
    static var ofThisMachine: PastText { PastText(now: SystemWallClock().now()) }
}
