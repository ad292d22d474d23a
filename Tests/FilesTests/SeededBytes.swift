import TestSupport

/// Bytes that nobody can guess or compress, and that are the same in every run.
enum SeededBytes {
    static func of(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SeededGenerator(seed: seed)
        return random.bytes(count)
    }
}
