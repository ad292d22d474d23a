/// A command: its words, each of any bytes.
struct RedisCommand: Hashable, Sendable, ExpressibleByArrayLiteral {
    private(set) var words: [[UInt8]]

    init(arrayLiteral words: String...) {
        self.words = words.map { Array($0.utf8) }
    }

    init(_ words: [[UInt8]]) {
        self.words = words
    }

    mutating func append(_ bytes: [UInt8]) { words.append(bytes) }

    mutating func append(_ text: String) { words.append(Array(text.utf8)) }

    mutating func append(_ number: some BinaryInteger) { append(String(number)) }
}
