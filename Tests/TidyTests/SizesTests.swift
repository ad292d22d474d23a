import Testing

@Suite("Sizes")
struct SizesTests {
    private let sizes = Sizes()

    // MARK: This repository

    @Test("no file of ours is longer than 600 lines")
    func files() {
        #expect(sizes.longFiles(Tree.sources + Tree.tests) == [])
    }

    @Test("no function of ours is longer than 70 lines")
    func functions() {
        #expect(sizes.longFunctions(Tree.sources + Tree.tests) == [])
    }

    @Test("our files are small on the whole")
    func fileDistribution() {
        #expect(sizes.fileDistribution(Tree.sources) == [])
    }

    @Test("our functions are small on the whole")
    func functionDistribution() {
        #expect(sizes.functionDistribution(Tree.sources) == [])
    }

    @Test("the checks look at something")
    func coverage() {
        #expect(Tree.sources.count > 15)
        #expect(Tree.sources.flatMap(\.functions).count > 50)
        #expect(Tree.tests.contains { $0.name == "SizesTests.swift" })
    }

    // MARK: Planted samples

    @Test("a file of 601 lines is found, one of 600 is not")
    func longFile() {
        #expect(sizes.longFiles([Fixture.file(lines: 600)]).isEmpty)
        #expect(sizes.longFiles([Fixture.file(lines: 601)]).count == 1)
    }

    @Test("a last line without an end counts")
    func lastLine() {
        #expect(Fixture.swift("a\nb").lineCount == 2)
        #expect(Fixture.swift("a\nb\n").lineCount == 2)
        #expect(Fixture.swift("").lineCount == 0)
    }

    @Test("a function of 71 lines is found with its line, one of 70 is not")
    func longFunction() {
        #expect(sizes.longFunctions([Fixture.swift(Fixture.function(bodyLines: 68))]).isEmpty)
        let found = sizes.longFunctions([Fixture.swift("\n\n" + Fixture.function(bodyLines: 69))])
        #expect(found.map(\.line) == [3])
    }

    @Test("a median that is too high is found")
    func median() {
        let files = [10, 121, 122].map { Fixture.file(lines: $0) }
        #expect(sizes.fileDistribution(files).count == 1)
        #expect(sizes.fileDistribution([10, 120, 122].map { Fixture.file(lines: $0) }).isEmpty)
    }

    @Test("too many long files are found although the median is low")
    func ninetieth() {
        let files = Array(repeating: 10, count: 8) + [351, 351]
        #expect(sizes.fileDistribution(files.map { Fixture.file(lines: $0) }).count == 1)
        let fewer = Array(repeating: 10, count: 9) + [351]
        #expect(sizes.fileDistribution(fewer.map { Fixture.file(lines: $0) }).isEmpty)
    }

    @Test("too many long functions are found")
    func ninetiethFunction() {
        let short = String(repeating: Fixture.function(bodyLines: 1), count: 8)
        let long = Fixture.function(bodyLines: 24)
        #expect(sizes.functionDistribution([Fixture.swift(short + long + long)]).count == 1)
        #expect(sizes.functionDistribution([Fixture.swift(short + long)]).count == 1)
        #expect(sizes.functionDistribution([Fixture.swift(short + short + long)]).isEmpty)
    }

    @Test("the quantile is the value at the rank, rounded up")
    func quantile() {
        #expect(Sizes.quantile(0.5, of: [1, 2, 3, 4]) == 2)
        #expect(Sizes.quantile(0.9, of: Array(1...10)) == 9)
        #expect(Sizes.quantile(0.9, of: [7]) == 7)
        #expect(Sizes.quantile(0.5, of: []) == 0)
    }
}
