import ArgumentParser
import Model
import SyncClient
import WireProtocol

/// Reads a path on the server as the user wrote it.
func remotePath(_ text: String) throws -> RemotePath {
    do {
        return try RemotePath(text)
    } catch {
        throw ClientError(.usage, "'\(text)': \(error)")
    }
}

struct PutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Copy a file to the server.",
        discussion: "A remote path that ends in '/' names the folder; the file keeps its name.")

    @Argument(help: "The file.", completion: .file())
    var file: String

    @Argument(help: "Where it goes on the server.")
    var remote: String

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            let file = HomeOptions.absolute(file)
            let name = file.split(separator: "/").last.map(String.init) ?? ""
            let target = try remotePath(remote.hasSuffix("/") ? remote + name : remote)
            let answer = try await client.put(file, to: target)
            Terminal.line("\(target) at revision \(answer.revision)")
        }
    }
}

struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Copy a file from the server.",
        discussion: """
            The file is written beside its place and renamed in, so that it is there whole or not at all.

              cairn get /docs/plan.txt .
              cairn get /docs/plan.txt old.txt --at '2 weeks ago'

            A file that lies in the server's archive is asked for there: the command says when it will be ready and ends with \
            75, or waits for it with --wait.
            """)

    @Argument(help: "The file on the server.")
    var remote: String

    @Argument(help: "Where it goes; a folder, or a file, which is replaced.", completion: .file())
    var file: String

    @OptionGroup var past: PastOptions

    @Flag(help: "Wait for a file that has to thaw first, however long it takes.")
    var wait = false

    @OptionGroup var options: HomeOptions

    func run() async throws {
        let wait = wait
        try await withClient(options) { client in
            try await client.get(try remotePath(remote), to: HomeOptions.absolute(file), at: try past.point()) {
                error, _ in
                if wait { Terminal.error(Terminal.printable(error.message)) }
                return wait
            }
        }
    }
}

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List a folder on the server, as it is or as it was.",
        discussion: """
              cairn ls /docs
              cairn ls /docs --at 3d
            """)

    @Argument(help: "The folder; the account's home if not given.")
    var remote = "/"

    @OptionGroup var past: PastOptions

    @Flag(help: "Print one JSON document a line.")
    var json = false

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            try await client.list(try remotePath(remote), at: try past.point()) { entry in
                if json {
                    Terminal.line(try JSONOutput.line(entry))
                } else {
                    let size = entry.size.map(ByteWords.text) ?? "-"
                    let padding = String(repeating: " ", count: max(0, 11 - size.count))
                    let mark = entry.kind == "folder" ? "/" : entry.kind == "symlink" ? "@" : ""
                    Terminal.line("\(entry.modified)  \(padding)\(size)  \(Terminal.printable(entry.name))\(mark)")
                }
            }
        }
    }
}

struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove a file, or a folder with all that is in it, from the server.")

    @Argument(help: "What to remove.")
    var remote: String

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in try await client.remove(try remotePath(remote)) }
    }
}

struct MoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mv", abstract: "Move or rename a file or folder on the server.")

    @Argument(help: "What to move.")
    var from: String

    @Argument(help: "Its new path.")
    var to: String

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            let answer = try await client.move(try remotePath(from), to: try remotePath(to))
            Terminal.line("moved at revision \(answer.revision)")
        }
    }
}

struct MakeFolderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mkdir", abstract: "Make a folder on the server.")

    @Argument(help: "Its path; the folder around it must exist.")
    var remote: String

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            let answer = try await client.makeFolder(try remotePath(remote))
            Terminal.line("made at revision \(answer.revision)")
        }
    }
}
