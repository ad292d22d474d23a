/// A call, or a form of words, that is not to appear, and where it may all the same.
struct Ban {
    /// The tokens, in order, that make it.
    let tokens: [String]
    let reason: String
    /// Files or folders where it is right, each with why.
    var allowed: [String: String] = [:]

    /// In whatever order the tokens were written, the text that a reader would search for.
    var name: String { tokens.joined() }

    func isAllowed(in path: String) -> Bool {
        allowed.keys.contains { path == $0 || path.hasPrefix($0 + "/") }
    }
}

struct BannedCalls {
    let bans: [Ban]

    func findings(in files: [SourceFile]) -> [Finding] {
        files.flatMap { file in
            let active = bans.filter { !$0.isAllowed(in: file.path) }
            let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
            return file.code.indices.compactMap { index -> Finding? in
                guard let ban = active.first(where: { matches($0, file.code, index) }) else { return nil }
                // `try !x` negates; `try!` traps. The tokens are the same, the text is not.
                if ban.name == "try!", !lines[file.code[index].line - 1].contains("try!") { return nil }
                return Finding(file.path, line: file.code[index].line, "\(ban.name) is banned: \(ban.reason)")
            }
        }
    }

    private func matches(_ ban: Ban, _ code: [Token], _ start: Int) -> Bool {
        guard code[start].text == ban.tokens[0], start + ban.tokens.count <= code.count else { return false }
        let isMember = start > 0 && code[start - 1].text == "."
        let isDeclared = start > 0 && code[start - 1].text == "func"
        // `clock.sleep(` is another function than `sleep(`, and a declaration is no call.
        if isDeclared || (isMember && ban.tokens[0] != ".") { return false }
        return zip(code[start...], ban.tokens).allSatisfy { $0.text == $1 && $0.kind != .string }
    }
}

extension BannedCalls {
    private static let composition = [
        "Sources/cairn": "composition: the machine's generator enters here",
        "Sources/cairn-server": "composition: the machine's generator enters here",
    ]

    private static let generatorDefaults = [
        "Sources/Storage/PackedBlockStore.swift": "the default of a parameter that tests set",
        "Sources/StorageLocal/LocalBlockStore.swift": "the default of a parameter that tests set",
        "Sources/StorageS3/Store/S3BlockStore+Open.swift": "the default of a parameter that tests set",
    ]

    private static let output = [
        "Sources/cairn-server/Output.swift": "the one file of the server that writes to standard output"
    ]

    /// What the sources may not say.
    static let inSources = BannedCalls(
        bans: [
            Ban(
                tokens: ["Date", "("], reason: "pass a WallClock in",
                allowed: ["Sources/SyncClient/Transport/ISOTime.swift": "writes a moment that it is given"]),
            Ban(tokens: ["Date", ".", "now"], reason: "pass a WallClock in"),
            Ban(
                tokens: ["clock_gettime", "("], reason: "pass a clock in",
                allowed: ["Sources/Model/SystemWallClock.swift": "this is the machine's clock"]),
            Ban(tokens: ["gettimeofday", "("], reason: "pass a clock in"),
            Ban(tokens: ["UUID", "("], reason: "ids are typed, and made from a generator that is passed in"),
            Ban(
                tokens: ["SystemRandomNumberGenerator", "("], reason: "pass a generator in",
                allowed: composition.merging(generatorDefaults) { first, _ in first }),
            Ban(tokens: [".", "randomElement", "(", ")"], reason: "pass a generator in"),
            Ban(tokens: [".", "shuffled", "(", ")"], reason: "pass a generator in"),
            Ban(tokens: ["print", "("], reason: "libraries log, commands write through one type", allowed: output),
            Ban(tokens: ["debugPrint", "("], reason: "libraries log, commands write through one type"),
            Ban(tokens: ["try", "!"], reason: "return the error or handle it"),
            Ban(tokens: ["try!"], reason: "return the error or handle it"),
            Ban(tokens: ["fatalError", "("], reason: "a programmer's mistake is a precondition, the rest are errors"),
            Ban(
                tokens: ["Task", "{"], reason: "long-lived parts are services, the rest task groups",
                allowed: [
                    "Sources/Messaging/Queue/TimedCalls.swift": "a call that hangs outlives who waits for it",
                    "Sources/Files/Leases/HoldLease.swift": "a lease is given back by a task that was cancelled too",
                    "Sources/StorageS3/Store/UnbrokenCall.swift": "awaited at once; others wait for the same",
                ]),
            Ban(
                tokens: ["Task", "("], reason: "long-lived parts are services, the rest task groups",
                allowed: ["Sources/Storage/RepairList.swift": "its own Task, an entry of the list"]),
            Ban(tokens: ["Task", ".", "detached"], reason: "long-lived parts are services, the rest task groups"),
        ] + sleeps)

    /// What the tests may not say.
    static let inTests = BannedCalls(
        bans: sleeps + [
            Ban(
                tokens: ["Task", ".", "sleep"], reason: "tests wait for events, or move a manual clock",
                allowed: ["Tests/CommandTests/Runner": "waits for other processes, which tell it nothing"])
        ])

    private static let sleeps = [
        Ban(tokens: ["Thread", ".", "sleep"], reason: "it blocks a thread; sleep on a clock that is passed in"),
        Ban(tokens: ["sleep", "("], reason: "it blocks a thread; sleep on a clock that is passed in"),
        Ban(tokens: ["usleep", "("], reason: "it blocks a thread; sleep on a clock that is passed in"),
        Ban(tokens: ["nanosleep", "("], reason: "it blocks a thread; sleep on a clock that is passed in"),
    ]
}
