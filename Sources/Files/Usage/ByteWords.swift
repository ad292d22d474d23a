/// Numbers of bytes in messages for people.
enum ByteWords {
    /// `812 B`, `1.4 KiB`, `20.0 MiB`.
    static func text(_ count: UInt64) -> String {
        var unit = 0
        var value = Double(count)
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return unit == 0 ? "\(count) B" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    private static let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
}
