/// Numbers of bytes for people.
enum SizeText {
    private static let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

    /// `812 B`, `1.4 KiB`, `20.0 MiB`.
    static func bytes(_ count: UInt64) -> String {
        var (value, unit) = (Double(count), 0)
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return unit == 0 ? "\(count) B" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// The same with a sign where it is negative.
    static func bytes(_ count: Int64) -> String { (count < 0 ? "-" : "") + bytes(count.magnitude) }
}
