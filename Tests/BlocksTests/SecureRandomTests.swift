import Blocks
import Testing

@Suite("SecureRandom")
struct SecureRandomTests {
    @Test("numbers do not repeat, within a source or between sources")
    func distinct() {
        var (first, second) = (SecureRandom(), SecureRandom())
        let numbers = (0..<1000).flatMap { _ in [first.next(), second.next()] }
        #expect(Set(numbers).count == 2000)
    }

    @Test("a copy yields other numbers than the original")
    func copies() {
        var original = SecureRandom()
        _ = original.next()
        var copy = original
        let numbers = (0..<200).flatMap { _ in [original.next(), copy.next()] }
        #expect(Set(numbers).count == 400)
    }

    @Test("threads that share a source never get the same number")
    func threads() async {
        let source = SecureRandom()
        let numbers = await withTaskGroup(of: [UInt64].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var mine = source
                    return (0..<500).map { _ in mine.next() }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(numbers).count == 4000)
    }

    @Test("as many bytes come as were asked for, and they differ", arguments: [0, 1, 16, 600])
    func bytes(count: Int) {
        var random = SecureRandom()
        let (first, second) = (random.bytes(count), random.bytes(count))
        #expect(first.count == count)
        #expect(count < 16 || first != second)
    }

    @Test("every bit is as often one as zero")
    func balance() {
        var random = SecureRandom()
        let counts = (0..<4000).reduce(into: [Int](repeating: 0, count: 64)) { counts, _ in
            let number = random.next()
            for bit in 0..<64 where number >> UInt64(bit) & 1 == 1 { counts[bit] += 1 }
        }
        // Eight deviations: this fails by chance once in 10^13 runs.
        #expect(counts.allSatisfy { (1747...2253).contains($0) })
    }
}
