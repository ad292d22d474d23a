/// Columns of text, each as wide as its widest cell.
struct TableText {
    private let alignsRight: Set<Int>
    private var rows: [[String]]

    /// Makes a table with a head; the columns in `right` are aligned to the right.
    init(_ head: [String], right: Set<Int> = []) {
        rows = [head]
        alignsRight = right
    }

    /// Adds a row of as many cells as the head has.
    mutating func add(_ row: [String]) { rows.append(row) }

    /// The lines, without spaces at their ends.
    func lines(indent: Int = 0) -> [String] {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.indices.map { column -> String in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return alignsRight.contains(column) ? padding + row[column] : row[column] + padding
            }
            var line = String(repeating: " ", count: indent) + cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
