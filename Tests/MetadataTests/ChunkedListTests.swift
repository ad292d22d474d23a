import Testing

@testable import Metadata

@Suite("Lists in statements")
struct ChunkedListTests {
    @Test("are covered by chunks of few sizes, in order, with nothing but the last repeated")
    func coverage() {
        for count in 0...700 { checkCoverage(Array(0..<count)) }
    }

    private func checkCoverage(_ elements: [Int]) {
        var covered: [Int] = []
        var padding = 0
        ChunkedList.forEach(elements) { chunk in
            #expect(ChunkedList.sizes.contains(chunk.count))
            let fresh = chunk.prefix { $0 > covered.last ?? -1 }.count
            // A chunk is rising until its last element is repeated.
            let rising = zip(chunk, chunk.dropFirst()).prefix { $0 < $1 }.count + 1
            #expect(fresh >= 1 && Set(chunk[(rising - 1)...]).count == 1)
            covered += chunk[..<rising]
            padding += chunk.count - rising
        }
        #expect(covered == elements)
        #expect(padding <= elements.count)
    }

    @Test("need few statements")
    func fewStatements() {
        for count in 1...700 {
            var chunks = 0
            ChunkedList.forEach(Array(0..<count)) { _ in chunks += 1 }
            #expect(chunks <= count / 256 + 12, "\(count)")
        }
    }

    @Test("have their parameters numbered on from the ones before")
    func parameters() {
        #expect(ChunkedList.parameters(from: 2, count: 3) == "$2, $3, $4")
        #expect(ChunkedList.parameters(from: 1, count: 1) == "$1")
        #expect(ChunkedList.rows(from: 2, count: 2, width: 2) == "($2, $3), ($4, $5)")
        #expect(ChunkedList.rows(from: 2, count: 3, width: 1) == "($2), ($3), ($4)")
    }
}
