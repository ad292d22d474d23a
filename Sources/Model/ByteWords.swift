/// Numbers of bytes for people.
public enum ByteWords {
    private static let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

    /// `812 B`, `1.4 KiB`, `20.0 MiB`: rounded to the nearest tenth of the largest unit of which that is one or more.
    public static func text(_ count: UInt64) -> String {
        if count < 1024 { return "\(count) B" }
        var unit = (count.bitWidth - count.leadingZeroBitCount - 1) / 10
        let shift = UInt64(unit * 10)
        let rest = count & (1 << shift - 1)
        var tenths = (count >> shift) * 10 + (rest * 10 + 1 << (shift - 1)) >> shift
        // What is nearly the next unit is rounded up to it.
        if tenths == 10_240 { (tenths, unit) = (10, unit + 1) }
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// The same with a sign where it is negative.
    public static func text(_ count: Int64) -> String { (count < 0 ? "-" : "") + text(count.magnitude) }
}
