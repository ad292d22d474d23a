/// How big files and functions may be.
struct Sizes {
    var longestFile = 600
    var medianFile = 120
    var ninetiethFile = 350
    var longestFunction = 70
    var ninetiethFunction = 25

    /// Files that are longer than any may be.
    func longFiles(_ files: [SourceFile]) -> [Finding] {
        files.filter { $0.lineCount > longestFile }.map {
            Finding($0.path, "\($0.lineCount) lines; split it: none may have more than \(longestFile)")
        }
    }

    /// Functions that are longer than any may be.
    func longFunctions(_ files: [SourceFile]) -> [Finding] {
        files.flatMap { file in
            file.functions.filter { $0.length > longestFunction }.map { function in
                let problem = "\(function.name) has \(function.length) lines, the most is \(longestFunction)"
                return Finding(file.path, line: function.line, problem)
            }
        }
    }

    /// Whether the files are small on the whole.
    func fileDistribution(_ files: [SourceFile]) -> [Finding] {
        let counts = files.map(\.lineCount).sorted()
        return [
            exceeded("the median file", Self.quantile(0.5, of: counts), medianFile),
            exceeded("the file at nine tenths", Self.quantile(0.9, of: counts), ninetiethFile),
        ].compactMap { $0 }
    }

    /// Whether the functions are small on the whole.
    func functionDistribution(_ files: [SourceFile]) -> [Finding] {
        let counts = files.flatMap(\.functions).map(\.length).sorted()
        return [exceeded("the function at nine tenths", Self.quantile(0.9, of: counts), ninetiethFunction)]
            .compactMap { $0 }
    }

    /// The value below or at which the fraction of a sorted list lies; 0 for an empty one.
    static func quantile(_ fraction: Double, of sorted: [Int]) -> Int {
        guard !sorted.isEmpty else { return 0 }
        let rank = Int((fraction * Double(sorted.count)).rounded(.up)) - 1
        return sorted[min(max(rank, 0), sorted.count - 1)]
    }

    private func exceeded(_ what: String, _ value: Int, _ most: Int) -> Finding? {
        value > most ? Finding("Sources", "\(what) has \(value) lines, the most is \(most)") : nil
    }
}
