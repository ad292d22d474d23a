/// Lists of any length as statements of few texts.
///
/// A statement that names `count` values has a text of its own for every count, and each text is planned and kept. So
/// lists are cut into chunks of a few fixed sizes, and a chunk is filled up by repeating its last element: what asks
/// for the same thing twice in one statement must put up with one answer or two.
struct ChunkedList {
    /// The sizes of chunks, rising. 256 rows of three values stay below every limit on parameters.
    static let sizes = [1, 8, 64, 256]

    /// Calls a body with chunks that hold all elements in order, the last ones filled up.
    static func forEach<Element>(_ elements: [Element], _ body: ([Element]) throws -> Void) rethrows {
        var start = 0
        while start < elements.count {
            let left = elements.count - start
            // A chunk that is more than half empty costs more than several smaller ones.
            let size = sizes.last { $0 <= left } ?? 1
            let fitting = sizes.first { $0 >= left }.flatMap { $0 <= left * 2 ? $0 : nil } ?? size
            var chunk = Array(elements[start..<min(start + fitting, elements.count)])
            start += chunk.count
            if let last = chunk.last {
                while chunk.count < fitting { chunk.append(last) }
            }
            try body(chunk)
        }
    }

    /// `$3, $4, $5` for a count of 3 from parameter 3 on.
    static func parameters(from first: Int, count: Int) -> String {
        (first..<first + count).map { "$\($0)" }.joined(separator: ", ")
    }

    /// `($3, $4), ($5, $6)` for two rows of two values from parameter 3 on.
    static func rows(from first: Int, count: Int, width: Int) -> String {
        (0..<count).map { "(\(parameters(from: first + $0 * width, count: width)))" }.joined(separator: ", ")
    }
}
