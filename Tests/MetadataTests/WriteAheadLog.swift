import Foundation

/// Reads the write-ahead log of SQLite, as its file format says, to see which transactions there were.
struct WriteAheadLog {
    /// The lengths of the log after each transaction, rising.
    let ends: [Int]

    /// Reads the log beside a database.
    init(ofDatabase path: String) throws {
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path + "-wal")))
        func word(_ offset: Int) -> UInt32 { bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) } }
        var ends: [Int] = []
        guard bytes.count >= 32 else {
            self.ends = []
            return
        }
        let frame = 24 + Int(word(8))
        var offset = 32
        // Frames of an earlier round of the log have another salt.
        while offset + frame <= bytes.count, word(offset + 8) == word(16), word(offset + 12) == word(20) {
            // The last frame of a transaction says how large the database is after it.
            if word(offset + 4) != 0 { ends.append(offset + frame) }
            offset += frame
        }
        self.ends = ends
    }

    /// How many transactions there are in the log.
    var transactions: Int { ends.count }
}
